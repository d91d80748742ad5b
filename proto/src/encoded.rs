//! A message of a stream in the bytes that it has on the wire, so that it is encoded once however many it is sent to.
use prost::{
    DecodeError, Message,
    bytes::{Buf, BufMut, Bytes},
    encoding::{DecodeContext, WireType, skip_field},
};

use crate::v1::Update;

/// An [`Update`], encoded. A clone shares the bytes.
#[derive(Debug, Clone, Default)]
pub struct EncodedUpdate(Bytes);

impl From<&Update> for EncodedUpdate {
    fn from(update: &Update) -> Self {
        Self(update.encode_to_vec().into())
    }
}

impl Message for EncodedUpdate {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.0);
    }

    /// A server sends it only; as of any message, fields that are not known are passed over.
    fn merge_field(
        &mut self,
        tag: u32,
        wire_type: WireType,
        buf: &mut impl Buf,
        ctx: DecodeContext,
    ) -> Result<(), DecodeError> {
        skip_field(wire_type, tag, buf, ctx)
    }

    fn encoded_len(&self) -> usize {
        self.0.len()
    }

    fn clear(&mut self) {
        self.0 = Bytes::new();
    }
}
