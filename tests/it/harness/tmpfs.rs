//! A small disk of a test's own, to be filled.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A disk in memory; gone when dropped.
pub struct Tmpfs {
    /// Where it is.
    pub folder: PathBuf,
}

impl Tmpfs {
    /// A disk of so many MiB; `None`, loudly, where this user may not make one.
    pub fn of_mib(size: usize) -> Option<Tmpfs> {
        let folder = std::env::temp_dir().join(format!("postern-disk-{}", postern::secret::random_token::<12>()));
        std::fs::create_dir(&folder).unwrap();
        let options = format!("size={size}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&folder).output();
        match mounted {
            Ok(output) if output.status.success() => Some(Tmpfs { folder }),
            other => {
                let why =
                    other.map_or_else(|fault| fault.to_string(), |out| String::from_utf8_lossy(&out.stderr).into());
                eprintln!("\n*** NOT TESTED: a full disk. Mounting a tmpfs needs root: {why}\n");
                drop(std::fs::remove_dir(&folder));
                None
            }
        }
    }

    /// Fills it up to so many free bytes.
    pub fn fill_up_to(&self, free: u64) {
        let there = postern::disk::Room::of(&self.folder).unwrap().free;
        let mut file = std::fs::File::options().create(true).append(true).open(self.filler()).unwrap();
        let mut left = there.saturating_sub(free);
        let block = [0_u8; 4096];
        while left > 0 {
            let part = usize::try_from(left.min(4096)).unwrap();
            if file.write_all(&block[..part]).is_err() {
                return;
            }
            left -= part as u64;
        }
    }

    /// Gives the room back.
    pub fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> PathBuf {
        Path::new(&self.folder).join("filler")
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        drop(Command::new("umount").arg("-l").arg(&self.folder).status());
        drop(std::fs::remove_dir(&self.folder));
    }
}
