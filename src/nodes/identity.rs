//! The id of this process, kept in its data directory: a process that crashed comes back as itself and waits for nobody.

use std::fs::{File, OpenOptions};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::clock::Millis;
use crate::ids::NodeId;

/// An id, and the lock that no living process shares.
#[derive(Debug)]
pub(super) struct Identity {
    id: NodeId,
    /// Held as long as the process lives; the kernel takes it back from one that was killed.
    _lock: Option<File>,
}

impl Identity {
    /// The id kept in `data_dir`, if nobody alive has it; else a new one.
    pub(super) fn find(data_dir: Option<&Path>, now: Millis) -> Identity {
        match data_dir.map(|folder| kept(folder, now)) {
            Some(Ok((id, lock))) => Identity { id, _lock: Some(lock) },
            // Two processes in one directory, or none that can be written: an id for this run only.
            _ => Identity { id: NodeId::new(now), _lock: None },
        }
    }

    pub(super) fn id(&self) -> NodeId {
        self.id
    }
}

fn kept(data_dir: &Path, now: Millis) -> std::io::Result<(NodeId, File)> {
    let path = data_dir.join("node.id");
    let mut file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
    file.try_lock()?;
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    if let Ok(id) = text.trim().parse() {
        return Ok((id, file));
    }
    let id = NodeId::new(now);
    file.set_len(0)?;
    file.rewind()?;
    file.write_all(id.as_str().as_bytes())?;
    Ok((id, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_comes_back_as_itself_and_two_are_never_one() {
        let folder = std::env::temp_dir().join(format!("postern-node-{}", crate::secret::random_token::<12>()));
        std::fs::create_dir(&folder).unwrap();
        let first = Identity::find(Some(&folder), Millis(1_000));
        let beside = Identity::find(Some(&folder), Millis(1_000));
        assert_ne!(first.id(), beside.id());
        let id = first.id();
        drop(first);
        assert_eq!(Identity::find(Some(&folder), Millis(2_000)).id(), id);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_ne!(Identity::find(Some(&folder), Millis(3_000)).id(), id, "no directory, no memory");
    }
}
