//! Channels, and places where oneshot channels are made.
use std::time::Duration;

use async_inspect_proto::v1;

use super::{id, stamp, value};
use crate::decode::DecodeError;
use crate::decode::dictionary::Dictionary;
use crate::model::{ChannelBirth, ChannelId, ChannelKind, ChannelReading, OneshotReading, TaskId};

pub(in crate::decode) fn channel_births(
    table: &v1::ChannelBirths,
    known: &Dictionary,
) -> Result<Vec<ChannelBirth>, DecodeError> {
    let rows = table.id.len();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let kind = match v1::ChannelKind::try_from(table.kind[row]) {
            Ok(v1::ChannelKind::Mpsc) => ChannelKind::Mpsc,
            Ok(v1::ChannelKind::MpscUnbounded) => ChannelKind::MpscUnbounded,
            Ok(v1::ChannelKind::Broadcast) => ChannelKind::Broadcast,
            Ok(v1::ChannelKind::Watch) => ChannelKind::Watch,
            _ => return value("channel_births.kind", table.kind[row]),
        };
        out.push(ChannelBirth {
            id: ChannelId(id("channel_births", table.id[row].cast_unsigned())?),
            kind,
            site: known.site(table.site[row])?,
            name: known.name(table.name[row])?,
            capacity: (table.capacity[row] != 0).then_some(table.capacity[row]),
            inferred: table.inferred[row],
        });
    }
    Ok(out)
}

pub(in crate::decode) fn channel_states(
    table: &v1::ChannelStates,
    known: &Dictionary,
) -> Result<Vec<ChannelReading>, DecodeError> {
    let rows = table.id.len();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        out.push(ChannelReading {
            id: ChannelId(id("channel_states", table.id[row].cast_unsigned())?),
            sent: table.sent[row],
            received: table.received[row],
            lagged: table.lagged[row],
            messages_lost: table.messages_lost[row],
            last_lag_at: stamp(table.last_lag_at_ns[row]),
            last_lag_task: TaskId(table.last_lag_task[row]),
            last_lag_site: known.site(table.last_lag_site[row])?,
            unheard: table.unheard[row],
            blocked_senders: table.blocked_senders[row],
            blocked_with_message: table.blocked_with_message[row],
            sends_blocked: table.sends_blocked[row],
            send_wait_total: Duration::from_nanos(table.send_wait_total_ns[row]),
            senders: table.senders[row],
            receivers: table.receivers[row],
            closed: table.closed[row],
            last_recv_at: stamp(table.last_recv_at_ns[row]),
            receiver_task: TaskId(table.receiver_task[row]),
            recv_site: known.site(table.recv_site[row])?,
            last_send_at: stamp(table.last_send_at_ns[row]),
            sender_task: TaskId(table.sender_task[row]),
            send_site: known.site(table.send_site[row])?,
        });
    }
    Ok(out)
}

pub(in crate::decode) fn oneshots(
    table: &v1::OneshotTotals,
    known: &Dictionary,
) -> Result<Vec<OneshotReading>, DecodeError> {
    let rows = table.site.len();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        if table.site[row] == 0 {
            return Err(DecodeError::NoId { table: "oneshot_totals" });
        }
        out.push(OneshotReading {
            site: known.site(table.site[row])?,
            name: known.name(table.name[row])?,
            made: table.made[row],
            delivered: table.delivered[row],
            unsent: table.unsent[row],
            unsent_awaited: table.unsent_awaited[row],
            unreceived: table.unreceived[row],
            last_unsent_at: stamp(table.last_unsent_at_ns[row]),
            last_unsent_site: known.site(table.last_unsent_site[row])?,
            last_unreceived_at: stamp(table.last_unreceived_at_ns[row]),
            last_unreceived_site: known.site(table.last_unreceived_site[row])?,
        });
    }
    Ok(out)
}
