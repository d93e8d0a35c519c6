use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Takes the hard limit on open files for this process: the soft one that shells give is meant for programs of another
/// time, and each client of the door takes a file.
pub(crate) fn open_as_many_as_allowed() {
    let limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        // Where that is not allowed, listeners make do with what there is.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_on_open_files_is_the_highest_that_is_allowed() {
        open_as_many_as_allowed();
        let limit = getrlimit(Resource::Nofile);
        assert_eq!(limit.current, limit.maximum);
    }
}
