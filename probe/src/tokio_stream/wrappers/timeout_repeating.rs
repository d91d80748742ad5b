//! `timeout_repeating` by the drop-in's `Interval`. `StreamExt` is tokio-stream's own, and its method takes tokio's; a stream
//! that is the drop-in's has one of its own, which goes before it.
use futures_util::Stream;

use ::tokio_stream::{StreamExt, adapters::TimeoutRepeating};

macro_rules! take_any_interval {
    ($($(#[$cfg:meta])? $stream:ident $(<$item:ident>)?,)*) => {$(
        $(#[$cfg])?
        impl $(<$item>)? super::$stream $(<$item>)? {
            /// See [`StreamExt::timeout_repeating`]; takes the drop-in's `Interval` and tokio's own.
            pub fn timeout_repeating(self, interval: impl Into<::tokio::time::Interval>) -> TimeoutRepeating<Self>
            where
                Self: Stream,
            {
                StreamExt::timeout_repeating(self, interval.into())
            }
        }
    )*};
}

take_any_interval! {
    #[cfg(feature = "watch-channels")]
    ReceiverStream<T>,
    #[cfg(feature = "watch-channels")]
    UnboundedReceiverStream<T>,
    #[cfg(all(feature = "watch-channels", feature = "tokio-stream-sync"))]
    BroadcastStream<T>,
    #[cfg(all(feature = "watch-channels", feature = "tokio-stream-sync"))]
    WatchStream<T>,
    #[cfg(all(feature = "watch-tasks", feature = "tokio-stream-rt"))]
    JoinSetStream<T>,
    #[cfg(feature = "watch-time")]
    IntervalStream,
}
