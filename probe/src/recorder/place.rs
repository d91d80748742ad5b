//! A place in the source: as the compiler tells it, or as the `tracing` layer is told it, by a file's name and two numbers.
use std::panic::Location;

#[cfg(any(feature = "layer", test))]
use super::told::Told;

/// Where something was made. Two of one text may differ in their address: then they are two sites.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    Known(&'static Location<'static>),
    #[cfg(any(feature = "layer", test))]
    Told(&'static Told),
}

impl From<&'static Location<'static>> for Place {
    #[inline]
    fn from(location: &'static Location<'static>) -> Self {
        Self::Known(location)
    }
}

impl Place {
    /// As the compiler tells it, if it did.
    #[allow(clippy::unnecessary_wraps, reason = "the layer has others")]
    pub(crate) fn location(self) -> Option<&'static Location<'static>> {
        match self {
            Self::Known(location) => Some(location),
            #[cfg(any(feature = "layer", test))]
            Self::Told(_) => None,
        }
    }

    /// The path of the file; empty where nothing is known.
    pub(crate) fn file(self) -> &'static str {
        match self {
            Self::Known(location) => location.file(),
            #[cfg(any(feature = "layer", test))]
            Self::Told(told) => told.file,
        }
    }

    /// The line, from 1.
    pub(crate) fn line(self) -> u32 {
        match self {
            Self::Known(location) => location.line(),
            #[cfg(any(feature = "layer", test))]
            Self::Told(told) => told.line,
        }
    }

    /// The column, from 1.
    pub(crate) fn column(self) -> u32 {
        match self {
            Self::Known(location) => location.column(),
            #[cfg(any(feature = "layer", test))]
            Self::Told(told) => told.column,
        }
    }

    /// What tells one place from another.
    #[inline]
    pub(crate) fn address(self) -> usize {
        match self {
            Self::Known(location) => std::ptr::from_ref(location) as usize,
            #[cfg(any(feature = "layer", test))]
            Self::Told(told) => std::ptr::from_ref(told) as usize,
        }
    }
}
