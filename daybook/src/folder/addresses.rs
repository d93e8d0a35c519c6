use rustix::process::{Pid, test_kill_process};
use serde::{Deserialize, Serialize};

use super::DataFolder;
use crate::databases::Databases;
use crate::failure::Failure;

const FILE: &str = "addresses.json";

/// Where a running system is, for the operators' commands. The file is gone after a clean stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Addresses {
    /// The process.
    pub(crate) pid: u32,
    /// The public door; none if only the database runs.
    pub(crate) url: Option<String>,
    /// Where metrics are read.
    pub(crate) metrics_url: Option<String>,
    /// The databases, with passwords.
    pub(crate) databases: Databases,
}

impl Addresses {
    /// Leaves them in a data folder, over those that a killed program left.
    pub(crate) fn leave(&self, folder: &DataFolder) -> Result<(), Failure> {
        folder.write(FILE, self)
    }

    /// Takes them away again.
    pub(crate) fn remove(folder: &DataFolder) {
        folder.remove(FILE);
    }

    /// Those of the program that runs in a data folder. What a killed program left does not count.
    pub(crate) fn of_running(folder: &DataFolder) -> Result<Option<Self>, Failure> {
        Ok(folder.read::<Self>(FILE)?.filter(|addresses| is_alive(addresses.pid)))
    }
}

/// Whether a process exists, of whatever user.
fn is_alive(pid: u32) -> bool {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    pid.is_some_and(|pid| test_kill_process(pid) != Err(rustix::io::Errno::SRCH))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(pid: u32) -> Addresses {
        let database = |name: &str| format!("postgres://daybook:secret@127.0.0.1:5499/daybook_{name}");
        Addresses {
            pid,
            url: Some("http://127.0.0.1:8080".to_owned()),
            metrics_url: None,
            databases: Databases::named(database),
        }
    }

    #[test]
    fn a_running_system_is_found_until_it_is_gone() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(dir.path());
        assert_eq!(Addresses::of_running(&folder).unwrap(), None);
        let left = addresses(std::process::id());
        left.leave(&folder).unwrap();
        assert_eq!(Addresses::of_running(&folder).unwrap(), Some(left));
        Addresses::remove(&folder);
        assert_eq!(Addresses::of_running(&folder).unwrap(), None);
    }

    #[test]
    fn what_a_killed_program_left_does_not_count() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::at(dir.path());
        let mut ended = std::process::Command::new("true").spawn().unwrap();
        let pid = ended.id();
        ended.wait().unwrap();
        for pid in [pid, 0, u32::MAX] {
            addresses(pid).leave(&folder).unwrap();
            assert_eq!(Addresses::of_running(&folder).unwrap(), None, "{pid}");
        }
    }
}
