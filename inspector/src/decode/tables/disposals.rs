//! Who did away with what.
use async_inspect_proto::v1;

use super::{id, value};
use crate::decode::DecodeError;
use crate::decode::dictionary::Dictionary;
use crate::model::{ChannelId, Disposal, Disposed, LockId, SiteId, Stamp, TaskId};

pub(in crate::decode) fn disposals(
    table: &v1::Disposals,
    known: &Dictionary,
) -> Result<Vec<(Disposed, Disposal)>, DecodeError> {
    let rows = table.kind.len();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let of = id("disposals", table.of[row])?;
        let site = || -> Result<SiteId, DecodeError> { known.site(u32::try_from(of).unwrap_or(u32::MAX)) };
        let of = match v1::DisposalKind::try_from(table.kind[row]) {
            Ok(v1::DisposalKind::Task) => Disposed::Task(site()?),
            Ok(v1::DisposalKind::Oneshot) => Disposed::Oneshot(site()?),
            Ok(v1::DisposalKind::Receivers) => Disposed::Receivers(ChannelId(of)),
            Ok(v1::DisposalKind::Permits) => Disposed::Permits(LockId(of)),
            _ => return value("disposals.kind", table.kind[row]),
        };
        let disposal = Disposal {
            at: Stamp(table.at_ns[row]),
            by: TaskId(table.by[row]),
            spawned: known.site(table.by_site[row])?,
            site: known.site(table.call_site[row])?,
        };
        out.push((of, disposal));
    }
    Ok(out)
}
