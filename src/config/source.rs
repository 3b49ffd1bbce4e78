//! Where a configuration comes from: the file, and the variables of the environment (the only place that reads them).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::fault::{ConfigFaults, Fault, Origin, Wrong};

/// The file read when nothing names one, if it exists.
const DEFAULT_FILE: &str = "postern.toml";

/// The text of a configuration and the variables that overrule it.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The file's name, for faults.
    pub name: String,
    /// The file's text; empty where there is none.
    pub text: String,
    /// Variables that begin with `POSTERN_` and are not empty.
    pub env: BTreeMap<String, String>,
    /// What stands in for keys that neither file nor environment writes, by variable; over the built-in defaults.
    pub defaults: BTreeMap<&'static str, &'static str>,
}

impl Source {
    /// Reads the environment and the file: `flag`, else the one `POSTERN_CONFIG` names, else `postern.toml` if it
    /// exists.
    pub fn find(flag: Option<&Path>) -> Result<Source, ConfigFaults> {
        let mut env = environment();
        let named = flag.map(Path::to_path_buf).or_else(|| env.get("POSTERN_CONFIG").map(PathBuf::from));
        env.remove("POSTERN_CONFIG");
        let optional = named.is_none();
        let path = named.unwrap_or_else(|| PathBuf::from(DEFAULT_FILE));
        let name = path.display().to_string();
        match std::fs::read_to_string(&path) {
            Ok(text) => Ok(Source { name, text, env, defaults: BTreeMap::new() }),
            Err(error) if optional && error.kind() == std::io::ErrorKind::NotFound => {
                Ok(Source { name, env, ..Source::default() })
            }
            Err(error) => Err(unreadable(name, &error)),
        }
    }

    /// The same source with another default for the key of a variable.
    #[must_use]
    pub fn with_default(mut self, variable: &'static str, text: &'static str) -> Self {
        self.defaults.insert(variable, text);
        self
    }

    /// The same source with a variable set, over whatever was there.
    #[must_use]
    pub fn with_variable(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }
}

/// Variables that begin like ours and are not: those an orchestrator makes for a service named postern
/// (`POSTERN_SERVICE_HOST`, `POSTERN_PORT_8080_TCP`: Kubernetes, "Accessing the Service"), those of the commands that call a
/// server (`src/cli/remote.rs`, `listen`) and of the curls that the console shows, and those of the tests.
pub fn is_foreign(name: &str) -> bool {
    ["POSTERN_SERVICE_", "POSTERN_PORT_", "POSTERN_TEST_"].iter().any(|prefix| name.starts_with(prefix))
        || ["POSTERN_PORT", "POSTERN_URL", "POSTERN_API_KEY", "POSTERN_TOKEN", "POSTERN_WEBHOOK_SECRET"].contains(&name)
}

/// The variables of the environment that begin with `POSTERN_`; empty ones count as absent, as compose files write them.
fn environment() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, value)| name.starts_with("POSTERN_") && !value.is_empty())
        .collect()
}

fn unreadable(name: String, error: &std::io::Error) -> ConfigFaults {
    let hint = "name a file that exists with --config or POSTERN_CONFIG";
    let wrong = Wrong::new(format!("cannot be read: {error}"), hint);
    ConfigFaults(vec![Fault { origin: Origin::Whole(name), key: String::new(), wrong }])
}
