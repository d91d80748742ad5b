//! What anybody writes with tokio says the same with the drop-in in its place, watched and not.
#![allow(clippy::unwrap_used, reason = "a program that cannot go on fails the test")]
#[path = "stranger/runtimes.rs"]
mod runtimes;

mod bare {
    use ::tokio;
    use async_inspect_probe::{tokio_stream::raw as tokio_stream, tokio_util::raw as tokio_util};

    #[macro_use]
    mod programs {
        include!("stranger/programs.rs");
    }
    mod companions {
        include!("stranger/companions.rs");
    }
    pub(super) const ALL: [&[programs::Program]; 2] = [programs::ALL, companions::ALL];
}

mod ours {
    use async_inspect_probe::{tokio, tokio_stream, tokio_util};

    #[macro_use]
    mod programs {
        include!("stranger/programs.rs");
    }
    mod companions {
        include!("stranger/companions.rs");
    }
    pub(super) const ALL: [&[programs::Program]; 2] = [programs::ALL, companions::ALL];
}

#[test]
fn programs_say_with_the_drop_in_what_they_say_with_tokio() {
    let all = || bare::ALL.into_iter().flatten().zip(ours::ALL.into_iter().flatten());
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
