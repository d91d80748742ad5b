//! Channels.
use super::room::{MOST_CHANNELS, has_room};
use crate::model::{Channel, ChannelBirth, ChannelId, ChannelReading, Model, Stamp};

impl Model {
    pub(super) fn channel_birth(&mut self, birth: ChannelBirth) {
        let ChannelBirth { id, kind, site, name, capacity, inferred } = birth;
        let (known, kept) = (self.channels.contains_key(&id), self.channels.len());
        if !has_room(known, kept, MOST_CHANNELS, &mut self.track.room.refused.channels) {
            return;
        }
        let complete = self.complete;
        let channel = self.channels.entry(id).or_insert_with(|| {
            let mut channel = Channel::default();
            channel.track.seen = complete;
            if complete {
                // It has just been made.
                channel.depth_s.push(0.0);
            }
            channel
        });
        channel.id = id;
        channel.kind = kind;
        channel.site = site;
        channel.name = self.track.room.name(name, &channel.name);
        channel.capacity = capacity;
        channel.inferred = inferred;
        if self.track.broken {
            channel.saturated_since = None;
            channel.track.saturated_mark = None;
        }
        channel.track.generation = self.track.generation;
    }

    pub(super) fn remove_channel(&mut self, id: ChannelId) {
        if let Some(channel) = self.channels.remove(&id) {
            self.track.room.leave(&channel.name);
        }
    }

    pub(super) fn channel_reading(&mut self, at: Stamp, reading: &ChannelReading) {
        let Some(channel) = self.channels.get_mut(&reading.id) else { return };
        if !channel.track.seen {
            channel.track.seen = true;
            channel.track.sent = reading.sent;
            channel.track.received = reading.received;
        }
        channel.track.generation = self.track.generation;
        channel.sent = reading.sent;
        channel.received = reading.received;
        channel.lagged = reading.lagged;
        channel.messages_lost = reading.messages_lost;
        channel.last_lag_at = reading.last_lag_at;
        channel.last_lag_task = reading.last_lag_task;
        channel.last_lag_site = reading.last_lag_site;
        channel.unheard = reading.unheard;
        channel.blocked_senders = reading.blocked_senders;
        channel.blocked_with_message = reading.blocked_with_message;
        channel.sends_blocked = reading.sends_blocked;
        channel.send_wait_total = reading.send_wait_total;
        channel.senders = reading.senders;
        channel.receivers = reading.receivers;
        channel.closed = reading.closed;
        if reading.receivers > 0 {
            channel.disposal = None;
        }
        channel.last_recv_at = reading.last_recv_at;
        if channel.receiver_task.0 != 0 && channel.receiver_task != reading.receiver_task {
            channel.receiver_changed_at = Some(at);
        }
        channel.receiver_task = reading.receiver_task;
        channel.recv_site = reading.recv_site;
        channel.last_send_at = reading.last_send_at;
        channel.sender_task = reading.sender_task;
        channel.send_site = reading.send_site;
        channel.count_saturated(at);
        if channel.saturated() {
            channel.saturated_since.get_or_insert(at);
            channel.track.saturated_mark = Some(at);
        } else {
            channel.saturated_since = None;
            channel.track.saturated_mark = None;
        }
    }
}

impl Channel {
    /// Counts the time since the last reading, if it was at capacity then.
    pub(in crate::model) fn count_saturated(&mut self, at: Stamp) {
        if let Some(mark) = self.track.saturated_mark {
            self.track.saturated = self.track.saturated.saturating_add(at.since(mark));
            self.track.saturated_mark = Some(at);
        }
    }
}
