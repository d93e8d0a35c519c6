//! Makes a new build of the frontend rebuild this crate, which embeds it.

fn main() {
    let dist = "../frontend/dist";
    // Cargo looks inside a folder that is there, and takes one that is not for changed at every build. Failing to make
    // it costs only that.
    let _ = std::fs::create_dir_all(dist);
    println!("cargo::rerun-if-changed={dist}");
}
