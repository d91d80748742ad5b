//! In which order locks are taken.
use super::{LockId, SiteId, Stamp};

/// One lock was taken while another was held.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LockOrder {
    /// Tells one order from another.
    pub id: u32,
    /// Where the lock that was held was made.
    pub first: SiteId,
    /// Where the one that was taken then was made.
    pub second: SiteId,
    /// Both locks, where they were made at one place; otherwise it is said of all locks of those places.
    pub locks: Option<(LockId, LockId)>,
    /// Where the first was acquired, the last time.
    pub first_site: SiteId,
    /// Where the second was.
    pub second_site: SiteId,
    /// How often, at least.
    pub times: u64,
    /// When last.
    pub last_at: Stamp,
    /// A lock that was held around both every time.
    pub around: Option<LockId>,
}
