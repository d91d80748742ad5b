//! What anybody writes with tokio says the same with the drop-in in its place, watched and not.
#![allow(clippy::unwrap_used, reason = "a program that cannot go on fails the test")]
#[path = "stranger/runtimes.rs"]
mod runtimes;

mod bare {
    use ::tokio;

    mod programs {
        include!("stranger/programs.rs");
    }
    pub(super) use programs::ALL;
}

mod ours {
    use async_inspect_probe::tokio;

    mod programs {
        include!("stranger/programs.rs");
    }
    pub(super) use programs::ALL;
}

#[test]
fn programs_say_with_the_drop_in_what_they_say_with_tokio() {
    let all = || bare::ALL.iter().zip(ours::ALL);
    for ((name, bare), (_, ours)) in all() {
        let said = bare();
        assert!(!said.is_empty(), "{name} says something");
        assert_eq!(ours(), said, "{name}, with nothing recorded");
    }
    async_inspect_probe::Builder::new().listen("127.0.0.1:0").unwrap().start().unwrap();
    for ((name, bare), (_, ours)) in all() {
        assert_eq!(ours(), bare(), "{name}, watched");
    }
}
