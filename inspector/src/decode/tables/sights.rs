//! Lines at which things were seen to happen.
use async_inspect_proto::v1;

use super::{cause, id, value};
use crate::decode::DecodeError;
use crate::decode::dictionary::Dictionary;
use crate::model::{Seen, Sight, SiteId, Stamp};

pub(in crate::decode) fn sights(
    table: &v1::Sights,
    known: &Dictionary,
) -> Result<Vec<(Seen, SiteId, Sight)>, DecodeError> {
    let rows = table.kind.len();
    let mut out = Vec::with_capacity(rows);
    for row in 0..rows {
        let what = match v1::SightKind::try_from(table.kind[row]) {
            Ok(v1::SightKind::Unsent) => Seen::Unsent,
            Ok(v1::SightKind::SelfWake) => Seen::SelfWake,
            Ok(v1::SightKind::LongPoll) => Seen::LongPoll,
            Ok(v1::SightKind::GivenUp) => Seen::GivenUp,
            Ok(v1::SightKind::Unspecified) => return value("sights.kind", table.kind[row]),
            // Of a later version: a detail that this one does not tell.
            Err(_) => continue,
        };
        let of = known.site(u32::try_from(id("sights", table.of[row])?).unwrap_or(u32::MAX))?;
        let site = known.site(table.site[row])?;
        out.push((what, of, Sight { at: Stamp(table.at_ns[row]), site, cause: cause(table.cause[row]) }));
    }
    Ok(out)
}
