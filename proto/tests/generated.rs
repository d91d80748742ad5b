//! The committed code is what the `.proto` file says. `UPDATE_GENERATED=1 cargo test -p async-inspect-proto`
//! writes it anew.
use std::{fs, path::Path};

#[test]
fn committed_code_is_what_the_proto_file_generates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let proto = root.join("proto/async_inspect/v1/inspect.proto");
    let files = protox::compile([&proto], [root.join("proto")]).unwrap();
    let messages_and_client = tonic_prost_build::configure()
        .client_mod_attribute(".", "#[cfg(feature = \"client\")]")
        .build_server(false)
        .build_transport(false);
    // Beside the messages that are there, with one that is encoded already in the place of an `Update`.
    let server = tonic_prost_build::configure()
        .extern_path(".async_inspect.v1", "crate::v1")
        .extern_path(".async_inspect.v1.Update", "crate::EncodedUpdate")
        .build_client(false)
        .build_transport(false);
    for (name, generator) in [("async_inspect.v1.rs", messages_and_client), ("async_inspect.v1.server.rs", server)] {
        let out = std::env::temp_dir().join(format!("async-inspect-proto-{}-{name}", std::process::id()));
        fs::create_dir_all(&out).unwrap();
        generator.out_dir(&out).compile_fds(files.clone()).unwrap();
        let generated = fs::read_to_string(out.join("async_inspect.v1.rs")).unwrap();
        fs::remove_dir_all(&out).unwrap();

        let committed = root.join("src/generated").join(name);
        if std::env::var_os("UPDATE_GENERATED").is_some() {
            fs::write(&committed, &generated).unwrap();
        }
        assert!(
            fs::read_to_string(&committed).unwrap() == generated,
            "{name} is out of date: run UPDATE_GENERATED=1 cargo test -p async-inspect-proto"
        );
    }
}
