//! The files that the process' code came from.
//!
//! Read from `/proc/self/maps` and from the files, never through the dynamic linker: it has a lock, which the thread that
//! is looked at may hold.
use std::{
    collections::HashMap,
    fs, io,
    ops::Range,
    os::unix::fs::FileExt as _,
    path::{Path, PathBuf},
    sync::Arc,
};

use addr2line::Loader;
use framehop::Unwinder as _;
use object::{Object, ObjectSection, ObjectSegment, read::ReadCache};

#[cfg(target_arch = "aarch64")]
pub(super) type Unwinder = framehop::aarch64::UnwinderAarch64<Arc<[u8]>>;
#[cfg(target_arch = "x86_64")]
pub(super) type Unwinder = framehop::x86_64::UnwinderX86_64<Arc<[u8]>>;

/// What is known of the process' code so far.
#[derive(Default)]
pub(super) struct Modules {
    pub(super) unwinder: Unwinder,
    mapped: Vec<Module>,
    /// Debug information by file; `None` where it cannot be read. Loaded when first needed, tens of milliseconds.
    symbols: HashMap<PathBuf, Option<Loader>>,
}

struct Module {
    path: PathBuf,
    range: Range<u64>,
    /// What to subtract from an address to get the file's own.
    bias: u64,
}

/// A line of `/proc/self/maps` that maps code from a file.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    range: Range<u64>,
    offset: u64,
    path: PathBuf,
}

impl Modules {
    /// Learns of the module at `address`, if it is not known; false when there is none.
    pub(super) fn learn(&mut self, address: u64) -> bool {
        if self.find(address).is_some() {
            return true;
        }
        let Ok(maps) = fs::read_to_string("/proc/self/maps") else { return false };
        for mapping in maps.lines().filter_map(code_mapping) {
            if self.find(mapping.range.start).is_none() {
                // A file that cannot be read has no frames of its own; the others still have.
                let _ = self.add(mapping);
            }
        }
        self.find(address).is_some()
    }

    fn find(&self, address: u64) -> Option<&Module> {
        self.mapped.iter().find(|module| module.range.contains(&address))
    }

    /// The debug information for an address, and the address as the file has it.
    pub(super) fn symbols(&mut self, address: u64) -> Option<(&Loader, u64)> {
        let module = self.mapped.iter().find(|module| module.range.contains(&address))?;
        let loader = self.symbols.entry(module.path.clone()).or_insert_with(|| Loader::new(&module.path).ok());
        Some((loader.as_ref()?, address - module.bias))
    }

    fn add(&mut self, mapping: Mapping) -> io::Result<()> {
        let path = readable(&mapping.path);
        let from = fs::File::open(&path)?;
        let cache = ReadCache::new(&from);
        let file = object::File::parse(&cache).map_err(io::Error::other)?;
        // A mapping begins at the page of its segment's first byte, which may hold the end of the segment before too.
        let begins = file.segments().find(|segment| segment.file_range().0 & !0xfff == mapping.offset);
        let inside = || {
            file.segments().find(|segment| {
                let (offset, size) = segment.file_range();
                (offset..offset + size).contains(&mapping.offset)
            })
        };
        let Some(segment) = begins.or_else(inside) else { return Err(io::ErrorKind::InvalidData.into()) };
        let bias = mapping
            .range
            .start
            .wrapping_sub(mapping.offset)
            .wrapping_sub(segment.address().wrapping_sub(segment.file_range().0));
        // Not through the cache, which would keep a second copy. Sections that a program runs with are never compressed.
        let section = |name: &str| {
            let section = file.section_by_name(name)?;
            let (offset, size) = section.file_range()?;
            let mut data = vec![0; usize::try_from(size).ok()?];
            from.read_exact_at(&mut data, offset).ok()?;
            Some((section.address()..section.address() + section.size(), Arc::from(data)))
        };
        let text = section(".text");
        let (eh_frame, eh_frame_hdr) = (section(".eh_frame"), section(".eh_frame_hdr"));
        let info = framehop::ExplicitModuleSectionInfo {
            base_svma: 0,
            text_svma: text.as_ref().map(|(range, _)| range.clone()),
            text: text.map(|(_, data)| data),
            eh_frame_svma: eh_frame.as_ref().map(|(range, _)| range.clone()),
            eh_frame: eh_frame.map(|(_, data)| data),
            eh_frame_hdr_svma: eh_frame_hdr.as_ref().map(|(range, _)| range.clone()),
            eh_frame_hdr: eh_frame_hdr.map(|(_, data)| data),
            ..Default::default()
        };
        let name = path.display().to_string();
        self.unwinder.add_module(framehop::Module::new(name, mapping.range.clone(), bias, info));
        self.mapped.push(Module { path, range: mapping.range, bias });
        Ok(())
    }
}

/// A program that was replaced on disk while it runs can still be read through its process.
fn readable(path: &Path) -> PathBuf {
    let gone = path.to_str().is_some_and(|path| path.ends_with(" (deleted)"));
    if gone || fs::read_link("/proc/self/exe").is_ok_and(|exe| exe == path) {
        return PathBuf::from("/proc/self/exe");
    }
    path.to_owned()
}

fn code_mapping(line: &str) -> Option<Mapping> {
    let mut fields = line.splitn(6, ' ');
    let (range, permissions, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let path = fields.nth(2)?.trim_start();
    let (start, end) = range.split_once('-')?;
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    (permissions.as_bytes().get(2) == Some(&b'x') && path.starts_with('/')).then_some(())?;
    Some(Mapping { range: hex(start)?..hex(end)?, offset: hex(offset)?, path: path.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_data_in_the_list_of_mappings() {
        let code = "55d0a000-55d0b000 r-xp 00012000 fe:01 1234     /opt/my app/bin";
        let expected = Mapping { range: 0x55d0_a000..0x55d0_b000, offset: 0x12000, path: "/opt/my app/bin".into() };
        assert_eq!(code_mapping(code), Some(expected));
        assert_eq!(code_mapping("55d0a000-55d0b000 r--p 00000000 fe:01 1234     /opt/app"), None);
        assert_eq!(code_mapping("7ffc0000-7ffc1000 r-xp 00000000 00:00 0        [vdso]"), None);
        assert_eq!(code_mapping("7ffc0000-7ffc1000 r-xp 00000000 00:00 0 "), None);
        assert_eq!(code_mapping("nonsense"), None);
    }
}
