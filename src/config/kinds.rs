//! Kinds of value that only a configuration has: sizes, addresses, the database's URL, secrets with a form.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Url;

use super::fault::Wrong;
use super::setting::{Setting, text_of, word_setting};
use super::value::Value;
use crate::secret::Secret;
use crate::terms::Channel;

word_setting!(Channel);

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Size(pub usize);

/// A check that a size lies between two numbers of bytes.
pub fn sized(least: usize, most: usize) -> impl Fn(&Size) -> Result<(), Wrong> {
    move |size| {
        if (least..=most).contains(&size.0) {
            return Ok(());
        }
        let hint = format!("write a size from {} to {}", Size(least), Size(most));
        Err(Wrong::new(format!("= {size} is out of range"), hint))
    }
}

const UNITS: [(&str, usize); 3] = [("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, bytes) = UNITS.into_iter().find(|(_, bytes)| self.0.is_multiple_of(*bytes)).unwrap_or(("B", 1));
        write!(f, "{}{unit}", self.0.checked_div(bytes).unwrap_or(self.0))
    }
}

impl Setting for Size {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let text = text_of(value, "a size", "1MiB")?.trim();
        let parsed = UNITS.into_iter().find_map(|(unit, bytes)| {
            let number: usize = text.strip_suffix(unit)?.trim().parse().ok()?;
            number.checked_mul(bytes).map(Size)
        });
        parsed.ok_or_else(|| {
            let hint = "write a whole number and a unit (B, KiB, MiB), e.g. \"1MiB\"";
            Wrong::new(format!("= {text:?} is not a size"), hint)
        })
    }
}

/// How many threads serve requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// One per core, at most 4.
    Auto,
    /// This many.
    Fixed(u32),
}

impl Workers {
    /// The number itself, at least 1.
    pub fn count(self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        match self {
            Workers::Auto => cores().min(4),
            Workers::Fixed(count) => usize::try_from(count).unwrap_or(1).max(1),
        }
    }
}

impl Setting for Workers {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        if value.as_text().is_some_and(|text| text.trim() == "auto") {
            return Ok(Workers::Auto);
        }
        match u32::read(value) {
            Ok(count) if (1..=256).contains(&count) => Ok(Workers::Fixed(count)),
            _ => Err(Wrong::new("is not a number of threads", "write \"auto\" or a number from 1 to 256")),
        }
    }
}

/// Where a door listens, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listen {
    /// Nowhere.
    Off,
    /// Here.
    At(SocketAddr),
}

impl Setting for Listen {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        if value.as_text().is_some_and(|text| text.trim() == "off") {
            return Ok(Listen::Off);
        }
        let or_off = |wrong: Wrong| Wrong::new(wrong.what, format!("{}, or \"off\"", wrong.hint));
        SocketAddr::read(value).map(Listen::At).map_err(or_off)
    }
}

/// An absolute http or https address without a query, a fragment or a password; its path does not end in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address, ready to have a path beginning with `/` appended.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The address of a local door without TLS.
    pub fn local(bind: SocketAddr) -> Self {
        BaseUrl(format!("http://{bind}"))
    }

    /// Whether it begins with `https`.
    pub fn is_https(&self) -> bool {
        self.0.starts_with("https://")
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Setting for BaseUrl {
    const SHOWN: bool = true;

    fn read(value: &Value) -> Result<Self, Wrong> {
        let text = text_of(value, "a URL", "https://otp.example.com")?.trim();
        let hint = "write http:// or https://, a host and perhaps a path, e.g. \"https://otp.example.com\"";
        // Not quoted in the fault: a URL may carry a password.
        let url = Url::parse(text).map_err(|error| Wrong::new(format!("is not a URL: {error}"), hint))?;
        let plain = url.query().is_none() && url.fragment().is_none();
        let unnamed = url.username().is_empty() && url.password().is_none();
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain || !unnamed {
            return Err(Wrong::new("is not a plain http or https URL", hint));
        }
        Ok(BaseUrl(url.as_str().trim_end_matches('/').to_owned()))
    }
}

/// Where the data lives. Prints no password.
#[derive(Clone)]
pub enum DatabaseUrl {
    /// A file of this process's own.
    Sqlite(PathBuf),
    /// A server, by a libpq connection URL.
    Postgres(Secret<String>),
}

impl DatabaseUrl {
    /// Whether it is SQLite.
    pub fn is_sqlite(&self) -> bool {
        matches!(self, DatabaseUrl::Sqlite(_))
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DatabaseUrl::Sqlite(path) => write!(f, "sqlite://{}", path.display()),
            DatabaseUrl::Postgres(url) => match Url::parse(url.expose()) {
                Ok(url) => {
                    write!(f, "postgres://{}", url.host_str().unwrap_or_default())?;
                    url.port().map_or(Ok(()), |port| write!(f, ":{port}"))?;
                    f.write_str(url.path())
                }
                Err(_) => f.write_str("postgres://"),
            },
        }
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Setting for DatabaseUrl {
    fn read(value: &Value) -> Result<Self, Wrong> {
        let hint = "write \"sqlite://data/postern.db\" or \"postgres://user:password@host/database\"";
        let text = text_of(value, "a database URL", "sqlite://data/postern.db")?.trim();
        if let Some(path) = text.strip_prefix("sqlite://") {
            let named = !path.is_empty() && !path.ends_with('/') && !path.contains(['?', ':']);
            let wrong = || Wrong::new("does not name a file", hint);
            return named.then(|| DatabaseUrl::Sqlite(path.into())).ok_or_else(wrong);
        }
        match Url::parse(text) {
            Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") && url.path().len() > 1 => {
                Ok(DatabaseUrl::Postgres(Secret::new(text.to_owned())))
            }
            Ok(url) if matches!(url.scheme(), "postgres" | "postgresql") => {
                Err(Wrong::new("does not name a database", hint))
            }
            _ => Err(Wrong::new("is not a database URL", hint)),
        }
    }
}

/// The server's key: 32 bytes in base64.
#[derive(Debug, Clone)]
pub struct SecretKey(pub Secret<[u8; 32]>);

impl SecretKey {
    /// Reads 32 bytes from base64; `None` where it is anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = zeroize::Zeroizing::new(STANDARD.decode(text.trim()).ok()?);
        let key: [u8; 32] = bytes.as_slice().try_into().ok()?;
        Some(SecretKey(Secret::new(key)))
    }

    /// The key as base64, for a file of its own.
    pub fn to_base64(&self) -> zeroize::Zeroizing<String> {
        zeroize::Zeroizing::new(STANDARD.encode(self.0.expose()))
    }
}

impl Setting for SecretKey {
    fn read(value: &Value) -> Result<Self, Wrong> {
        let hint = "make one with: openssl rand -base64 32";
        let text = value.as_text().ok_or_else(|| Wrong::new("is not a string", hint))?;
        SecretKey::parse(text).ok_or_else(|| Wrong::new("is not 32 bytes in base64", hint))
    }
}

/// A Redis that several nodes share. Prints no password.
#[derive(Clone)]
pub struct RedisUrl(Secret<String>);

impl RedisUrl {
    /// The whole address, password and all; never print it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

impl fmt::Debug for RedisUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Ok(url) = Url::parse(self.expose()) else { return f.write_str("redis://") };
        write!(f, "{}://{}", url.scheme(), url.host_str().unwrap_or_default())?;
        url.port().map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Setting for RedisUrl {
    fn read(value: &Value) -> Result<Self, Wrong> {
        let hint = "write \"redis://user:password@host:6379/0\", or rediss:// for TLS";
        let text = text_of(value, "a Redis URL", "redis://127.0.0.1:6379")?.trim();
        // Not quoted in the fault: it may carry a password.
        let url = Url::parse(text).map_err(|error| Wrong::new(format!("is not a URL: {error}"), hint))?;
        let plain = url.query().is_none() && url.fragment().is_none();
        let database = url.path().trim_start_matches('/');
        let numbered = database.is_empty() || database.parse::<u16>().is_ok();
        if !matches!(url.scheme(), "redis" | "rediss") || !url.has_host() || !plain {
            return Err(Wrong::new("is not a plain redis or rediss URL", hint));
        }
        if !numbered {
            return Err(Wrong::new("does not name its database by number", hint));
        }
        Ok(RedisUrl(Secret::new(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: Setting>(text: &str) -> Result<T, Wrong> {
        T::read(&Value::Text(text.to_owned()))
    }

    #[test]
    fn a_size_is_a_number_and_a_unit() {
        assert_eq!(read::<Size>("1MiB"), Ok(Size(1_048_576)));
        assert_eq!(read::<Size>("64 KiB"), Ok(Size(65_536)));
        for bad in ["1", "MiB", "1MB", "-1B", "99999999999999999999MiB"] {
            assert!(read::<Size>(bad).is_err(), "{bad}");
        }
        assert_eq!((Size(65_536).to_string(), Size(7).to_string()), ("64KiB".into(), "7B".into()));
    }

    #[test]
    fn a_base_url_has_nothing_after_its_path() {
        assert_eq!(read::<BaseUrl>("https://otp.example.com/").unwrap().as_str(), "https://otp.example.com");
        assert_eq!(read::<BaseUrl>("http://h:1/a/").unwrap().as_str(), "http://h:1/a");
        for bad in ["otp.example.com", "ftp://h", "https://h?x=1", "https://u:p@h", "https://", "https://h/#a"] {
            assert!(read::<BaseUrl>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_database_url_prints_no_password() {
        let url: DatabaseUrl = read("postgres://app:hunter2@db.example:5433/postern?sslmode=require").unwrap();
        assert_eq!(format!("{url:?} {url}"), "postgres://db.example:5433/postern postgres://db.example:5433/postern");
        for bad in ["mysql://h/d", "postgres://h", "sqlite://", "sqlite://:memory:", "data/postern.db", "sqlite://d/"] {
            assert!(read::<DatabaseUrl>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_redis_url_prints_no_password() {
        let url: RedisUrl = read("rediss://app:hunter2@cache.example:6380/2").unwrap();
        assert_eq!((format!("{url:?}").as_str(), url.expose().len()), ("rediss://cache.example:6380", 41));
        for bad in ["127.0.0.1:6379", "http://h", "redis://", "redis://h/db", "redis://h?x=1", "rediss://h/#insecure"] {
            let wrong = read::<RedisUrl>(bad).unwrap_err();
            assert!(!wrong.what.contains("h/"), "{bad}: {wrong:?}");
        }
    }

    #[test]
    fn a_secret_key_is_32_bytes() {
        assert!(read::<SecretKey>(&STANDARD.encode([7u8; 32])).is_ok());
        let wrong = read::<SecretKey>("aHVudGVyMg==").unwrap_err();
        assert!(!format!("{wrong:?}").contains("aHVud"), "a fault quotes no secret");
    }
}
