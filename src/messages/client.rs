//! On whose behalf a message is sent: what the caller's app knows of its end user, and what guards keep of it.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::body::ClientBody;
use super::new::{Faults, short};
use crate::fraud::engine::{Key, Named};
use crate::ids::OrgId;
use crate::limits::Rate;
use crate::secret::{Keyring, Purpose};
use crate::terms::Mode;

/// Who asked the caller's app, where it says so.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Client {
    /// The end user's address.
    pub ip: Option<IpAddr>,
    /// The app's own id of the device.
    pub device_id: Option<String>,
    /// The end user's browser or app.
    pub user_agent: Option<String>,
    /// The app's own keys, each with the rate it may have.
    pub keys: Vec<(String, Rate)>,
}

/// Keyed hashes of the end user's address, network and device, and of the keys that the app named; with a stored
/// verification for its later sends.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ClientMacs {
    /// Of the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<Vec<u8>>,
    /// Of the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Vec<u8>>,
    /// Of the network: the /24, or the /48.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Key>,
    /// The app's keys with their rates.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<(Key, String)>,
}

/// Most keys that one request may name.
const MOST_KEYS: usize = 5;

/// Reads the `client` member; also the verifications' way.
pub fn client(faults: &mut Faults, body: ClientBody) -> Client {
    let ip = body.ip.map(|ip| ip.parse::<IpAddr>().map_err(|_| "must be an IPv4 or IPv6 address"));
    Client {
        ip: faults.keep("client.ip", ip.transpose()).flatten(),
        device_id: faults.keep("client.device_id", body.device_id.map(|id| short(id, 200)).transpose()).flatten(),
        user_agent: faults.keep("client.user_agent", body.user_agent.map(|ua| short(ua, 500)).transpose()).flatten(),
        keys: faults.keep("client.keys", keys(body.keys.unwrap_or_default())).unwrap_or_default(),
    }
}

fn keys(named: BTreeMap<String, String>) -> Result<Vec<(String, Rate)>, String> {
    if named.len() > MOST_KEYS {
        return Err(format!("takes at most {MOST_KEYS} keys"));
    }
    let key = |(name, rate): (String, String)| {
        let name = short(name, 200).map_err(|why| format!("names: each {why}"))?;
        let rate = rate.parse().map_err(|_| format!("must give each key a rate such as \"3/5m\", not {rate:?}"))?;
        Ok((name, rate))
    };
    named.into_iter().map(key).collect()
}

/// The end user as guards know them, within one organization's world. An IPv6 client is its /64: a household's usual share.
pub fn client_macs(keyring: &Keyring, (org, mode): (OrgId, Mode), client: &Client) -> ClientMacs {
    let mac = |label: &[u8], text: &[u8]| keyring.mac(Purpose::Client, &[label, text]);
    let short = |label: &[u8], text: &[u8]| mac(label, text).iter().take(16).copied().collect();
    let ip = client.ip.map(|ip| match ip.to_canonical() {
        IpAddr::V4(v4) => short(b"ip", &v4.octets()),
        IpAddr::V6(v6) => short(b"ip", v6.octets().split_at(8).0),
    });
    let network = client.ip.map(|ip| match ip.to_canonical() {
        IpAddr::V4(v4) => Key::of_bytes(&mac(b"network", v4.octets().split_at(3).0)),
        IpAddr::V6(v6) => Key::of_bytes(&mac(b"network", v6.octets().split_at(6).0)),
    });
    let own = |name: &str| {
        Key::of_bytes(
            &keyring
                .mac(Purpose::Client, &[b"key", org.as_str().as_bytes(), mode.as_str().as_bytes(), name.as_bytes()]),
        )
    };
    ClientMacs {
        ip,
        device: client.device_id.as_ref().map(|id| short(b"device", id.as_bytes())),
        network,
        keys: client.keys.iter().map(|(name, rate)| (own(name), rate.to_string())).collect(),
    }
}

impl ClientMacs {
    /// The app's keys.
    pub fn named(&self) -> Vec<Named> {
        let named = |(key, rate): &(Key, String)| Some(Named { key: *key, rate: rate.parse().ok()? });
        self.keys.iter().filter_map(named).collect()
    }
}
