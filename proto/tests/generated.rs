//! The committed code is what the `.proto` file says. `UPDATE_GENERATED=1 cargo test -p async-inspect-proto`
//! writes it anew.
use std::{fs, path::Path};

#[test]
fn committed_code_is_what_the_proto_file_generates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let out = std::env::temp_dir().join(format!("async-inspect-proto-{}", std::process::id()));
    fs::create_dir_all(&out).unwrap();
    let proto = root.join("proto/async_inspect/v1/inspect.proto");
    let files = protox::compile([&proto], [root.join("proto")]).unwrap();
    tonic_prost_build::configure()
        .out_dir(&out)
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .server_mod_attribute(".", "#[cfg(feature = \"server\")]")
        .build_transport(false)
        .compile_fds(files)
        .unwrap();
    let generated = fs::read_to_string(out.join("async_inspect.v1.rs")).unwrap();
    fs::remove_dir_all(&out).unwrap();

    let committed = root.join("src/generated/async_inspect.v1.rs");
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&committed, &generated).unwrap();
    }
    assert!(
        fs::read_to_string(&committed).unwrap() == generated,
        "src/generated is out of date: run UPDATE_GENERATED=1 cargo test -p async-inspect-proto"
    );
}
