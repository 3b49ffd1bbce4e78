//! The server's key: from the configuration, or a file of the data directory that is made at first start on SQLite.

use std::fs::{DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::Config;
use super::fault::{ConfigFaults, Fault, Origin, Wrong};
use super::kinds::SecretKey;
use crate::secret::{Keyring, Secret, fill_random};

/// Where the server's key would come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyState {
    /// From the configuration.
    Configured,
    /// From its file.
    Kept,
    /// From nowhere yet: the first start makes it.
    Absent,
}

/// The file of the key inside `data_dir`.
pub fn secret_key_file(data_dir: &Path) -> PathBuf {
    data_dir.join("secret.key")
}

impl Config {
    /// The server's keyring. On SQLite a key that is nowhere is made and kept, mode 0600, before it is used.
    pub fn keyring(&self) -> Result<Keyring, ConfigFaults> {
        if let Some(key) = &self.node.secret_key {
            return Ok(ring(key));
        }
        let file = self.secret_key_file();
        match read_key(&file)? {
            Some(key) => Ok(ring(&key)),
            None => {
                make_key(&self.node.data_dir, &file).map_err(|error| unusable(&file, &error.to_string()))?;
                // Read back: where two processes start at once, the file holds the key of the one that came first.
                read_key(&file)?.map(|key| ring(&key)).ok_or_else(|| unusable(&file, "vanished after it was made"))
            }
        }
    }

    /// Where the key would come from; makes nothing.
    pub fn key_state(&self) -> Result<KeyState, ConfigFaults> {
        if self.node.secret_key.is_some() {
            return Ok(KeyState::Configured);
        }
        Ok(if read_key(&self.secret_key_file())?.is_some() { KeyState::Kept } else { KeyState::Absent })
    }

    /// Makes the data directory, mode 0700, if it is absent.
    pub fn make_data_dir(&self) -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.node.data_dir)
    }
}

fn ring(key: &SecretKey) -> Keyring {
    Keyring::new(*key.0.expose())
}

fn read_key(file: &Path) -> Result<Option<SecretKey>, ConfigFaults> {
    let text = match std::fs::read_to_string(file) {
        Ok(text) => zeroize::Zeroizing::new(text),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unusable(file, &error.to_string())),
    };
    SecretKey::parse(&text).map(Some).ok_or_else(|| unusable(file, "does not hold 32 bytes in base64"))
}

/// Writes a fresh key under a name of its own and links it into place: nobody ever reads half a key, and a key that is
/// there already is never replaced.
fn make_key(data_dir: &Path, file: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(data_dir)?;
    let mut bytes = [0u8; 32];
    fill_random(&mut bytes);
    let key = SecretKey(Secret::new(bytes));
    let draft = data_dir.join(format!(".secret.key.{}", crate::secret::random_token::<8>()));
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    out.set_permissions(Permissions::from_mode(0o600))?;
    out.write_all(key.to_base64().as_bytes())?;
    out.write_all(b"\n")?;
    out.sync_all()?;
    let linked = std::fs::hard_link(&draft, file);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => File::open(data_dir)?.sync_all(),
    }
}

fn unusable(file: &Path, why: &str) -> ConfigFaults {
    let hint =
        "restore the file from a backup, or give the key by POSTERN_SECRET_KEY; a new key loses what the old sealed";
    let origin = Origin::Whole(file.display().to_string());
    ConfigFaults(vec![Fault { origin, key: String::new(), wrong: Wrong::new(format!("cannot be used: {why}"), hint) }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Purpose;

    fn config_without_key() -> Config {
        let mut config = Config::for_tests();
        config.node.secret_key = None;
        config
    }

    #[test]
    fn a_key_is_made_once_and_kept_for_its_owner_only() {
        let config = config_without_key();
        assert_eq!(config.key_state().unwrap(), KeyState::Absent);
        let first = config.keyring().unwrap().mac(Purpose::Code, &[b"x"]);
        assert_eq!(config.keyring().unwrap().mac(Purpose::Code, &[b"x"]), first);
        assert_eq!(config.key_state().unwrap(), KeyState::Kept);
        let mode = std::fs::metadata(config.secret_key_file()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(&config.node.data_dir).unwrap().count(), 1, "no draft is left");
        std::fs::remove_dir_all(&config.node.data_dir).unwrap();
    }

    #[test]
    fn processes_that_start_together_agree_on_one_key() {
        let config = config_without_key();
        let macs: Vec<[u8; 32]> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                (0..8).map(|_| scope.spawn(|| config.keyring().unwrap().mac(Purpose::Code, &[]))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(macs.windows(2).all(|pair| pair[0] == pair[1]));
        std::fs::remove_dir_all(&config.node.data_dir).unwrap();
    }

    #[test]
    fn a_damaged_key_is_a_fault_and_is_not_replaced() {
        let config = config_without_key();
        config.make_data_dir().unwrap();
        std::fs::write(config.secret_key_file(), "c2hvcnQ=").unwrap();
        let faults = config.keyring().unwrap_err().to_string();
        assert!(faults.contains("32 bytes") && !faults.contains("c2hvcnQ"), "{faults}");
        assert_eq!(std::fs::read_to_string(config.secret_key_file()).unwrap(), "c2hvcnQ=");
        std::fs::remove_dir_all(&config.node.data_dir).unwrap();
    }
}
