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
    symbols: HashMap<File, Option<Loader>>,
}

struct Module {
    mapping: Mapping,
    /// What to subtract from an address to get the file's own.
    bias: u64,
}

/// A line of `/proc/self/maps` that maps code from a file.
#[derive(Debug, PartialEq, Eq)]
struct Mapping {
    range: Range<u64>,
    offset: u64,
    file: File,
}

/// A file as it was when it was mapped: a library that is built anew has the path of the old one and another inode.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct File {
    device: String,
    inode: u64,
    path: PathBuf,
}

impl Modules {
    /// Forgets what was unloaded, whose addresses may be another library's by now.
    pub(super) fn forget_unloaded(&mut self) {
        // Where it cannot be told, for want of file descriptors say, what is known stays.
        let Ok(mapped) = mapped_now() else { return };
        let Self { unwinder, mapped: known, symbols } = self;
        known.retain(|module| {
            let stays = mapped.contains(&module.mapping);
            if !stays {
                unwinder.remove_module(module.mapping.range.start);
            }
            stays
        });
        symbols.retain(|file, _| known.iter().any(|module| module.mapping.file == *file));
    }

    /// Learns of the module at `address`, if it is not known; false when there is none.
    pub(super) fn learn(&mut self, address: u64) -> bool {
        if self.find(address).is_some() {
            return true;
        }
        let Ok(mapped) = mapped_now() else { return false };
        for mapping in mapped {
            if self.find(mapping.range.start).is_none() {
                // A file that cannot be read has no frames of its own; the others still have.
                let _ = self.add(mapping);
            }
        }
        self.find(address).is_some()
    }

    /// The file that the code at an address came from, if it is known.
    #[cfg(test)]
    pub(super) fn path(&self, address: u64) -> Option<&Path> {
        Some(&self.find(address)?.mapping.file.path)
    }

    fn find(&self, address: u64) -> Option<&Module> {
        self.mapped.iter().find(|module| module.mapping.range.contains(&address))
    }

    /// The debug information for an address, and the address as the file has it.
    pub(super) fn symbols(&mut self, address: u64) -> Option<(&Loader, u64)> {
        let module = self.mapped.iter().find(|module| module.mapping.range.contains(&address))?;
        let file = &module.mapping.file;
        let loader = self.symbols.entry(file.clone()).or_insert_with(|| Loader::new(readable(&file.path)).ok());
        Some((loader.as_ref()?, address - module.bias))
    }

    fn add(&mut self, mapping: Mapping) -> io::Result<()> {
        let path = readable(&mapping.file.path);
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
        self.mapped.push(Module { mapping, bias });
        Ok(())
    }
}

/// A program that was replaced on disk while it runs can still be read through its process. A library that was cannot, and
/// has no frames.
fn readable(path: &Path) -> PathBuf {
    if fs::read_link("/proc/self/exe").is_ok_and(|exe| exe == path) {
        return PathBuf::from("/proc/self/exe");
    }
    path.to_owned()
}

/// The code that is mapped from files now.
fn mapped_now() -> io::Result<Vec<Mapping>> {
    Ok(fs::read_to_string("/proc/self/maps")?.lines().filter_map(code_mapping).collect())
}

fn code_mapping(line: &str) -> Option<Mapping> {
    let mut fields = line.splitn(6, ' ');
    let (range, permissions, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let (device, inode) = (fields.next()?, fields.next()?);
    let path = fields.next()?.trim_start();
    let (start, end) = range.split_once('-')?;
    let hex = |text: &str| u64::from_str_radix(text, 16).ok();
    (permissions.as_bytes().get(2) == Some(&b'x') && path.starts_with('/')).then_some(())?;
    let file = File { device: device.to_owned(), inode: inode.parse().ok()?, path: path.into() };
    Some(Mapping { range: hex(start)?..hex(end)?, offset: hex(offset)?, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_from_data_in_the_list_of_mappings() {
        let code = "55d0a000-55d0b000 r-xp 00012000 fe:01 1234     /opt/my app/bin";
        let file = File { device: "fe:01".to_owned(), inode: 1234, path: "/opt/my app/bin".into() };
        let expected = Mapping { range: 0x55d0_a000..0x55d0_b000, offset: 0x12000, file };
        assert_eq!(code_mapping(code), Some(expected));
        assert_eq!(code_mapping("55d0a000-55d0b000 r--p 00000000 fe:01 1234     /opt/app"), None);
        assert_eq!(code_mapping("7ffc0000-7ffc1000 r-xp 00000000 00:00 0        [vdso]"), None);
        assert_eq!(code_mapping("7ffc0000-7ffc1000 r-xp 00000000 00:00 0 "), None);
        assert_eq!(code_mapping("nonsense"), None);
    }

    #[test]
    #[cfg(target_env = "gnu")]
    fn a_library_that_was_unloaded_is_forgotten() {
        let mut modules = Modules::default();
        // SAFETY: the C library's own, whose initializers do nothing that a program has to be ready for; it is closed once.
        let address = unsafe {
            let library = libc::dlopen(c"libthread_db.so.1".as_ptr(), libc::RTLD_LAZY);
            assert!(!library.is_null());
            let address = libc::dlsym(library, c"td_init".as_ptr()) as u64;
            assert!(modules.learn(address));
            modules.forget_unloaded();
            assert!(modules.path(address).unwrap().ends_with("libthread_db.so.1"));
            libc::dlclose(library);
            address
        };
        let own = a_library_that_was_unloaded_is_forgotten as *const () as u64;
        assert!(modules.learn(own));
        modules.forget_unloaded();
        assert_eq!((modules.path(address), modules.path(own).is_some()), (None, true));
        assert!(!modules.learn(address));
    }
}
