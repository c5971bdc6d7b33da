//! Packs the texts of the demo wiki: a megabyte of prose, of which the binary carries a sixth.

use std::error::Error;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

const FOLDER: &str = "assets/demo";

/// Writes `demo.gz`: of each file, in the order of their names, a line with its name, a line with
/// its length in bytes, and its text.
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={FOLDER}");
    let mut paths: Vec<_> = fs::read_dir(FOLDER)?
        .map(|entry| entry.map(|entry| entry.path()))
        .collect::<Result<_, _>>()?;
    paths.sort();
    let out = std::env::var("OUT_DIR")?;
    let packed = File::create(Path::new(&out).join("demo.gz"))?;
    let mut packed = GzEncoder::new(packed, Compression::best());
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let text = fs::read_to_string(&path)?;
        write!(packed, "{name}\n{}\n{text}", text.len())?;
    }
    packed.finish()?;
    Ok(())
}
