//! Where things are, and cargo as everyone calls it.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, io};

use crate::process::Failure;

/// The repository.
pub(crate) fn root() -> &'static Path {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask)
}

/// Where cargo builds.
pub(crate) fn target() -> PathBuf {
    match env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => env::current_dir().unwrap_or_default().join(dir),
        None => root().join("target"),
    }
}

/// A folder for what we keep between runs.
pub(crate) fn scratch() -> Result<PathBuf, Failure> {
    let dir = target().join("xtask");
    fs::create_dir_all(&dir).map_err(Failure::io(format!("cannot make {}", dir.display())))?;
    Ok(dir)
}

/// The program under test.
pub(crate) fn daybook(profile: &str) -> PathBuf {
    target().join(profile).join("daybook")
}

/// Cargo in the repository, with the environment of the user rather than of `cargo run`: build scripts that look at
/// it would be run again, and everything after them built again, each time that one cargo follows the other.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let of_cargo_run = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if of_cargo_run.iter().any(|prefix| name.starts_with(prefix)) || name == "OUT_DIR" {
            command.env_remove(&*name);
        }
    }
    // On a machine that builds once, the files for building again cost time and gigabytes.
    if env::var_os("CI").is_some() && env::var_os("CARGO_INCREMENTAL").is_none() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    command
}

/// A number that changes when a file below `dir` does, leaving out what `is_left_out` says.
pub(crate) fn fingerprint(dir: &Path, is_left_out: &dyn Fn(&Path) -> bool) -> io::Result<u64> {
    let mut hasher = DefaultHasher::new();
    let mut open = vec![dir.to_owned()];
    while let Some(path) = open.pop() {
        if is_left_out(&path) {
            continue;
        }
        path.hash(&mut hasher);
        if path.is_dir() {
            let mut inside = fs::read_dir(&path)?
                .map(|entry| entry.map(|entry| entry.path()))
                .collect::<io::Result<Vec<_>>>()?;
            inside.sort();
            open.extend(inside);
        } else {
            fs::read(&path)?.hash(&mut hasher);
        }
    }
    Ok(hasher.finish())
}
