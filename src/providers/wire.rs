//! The carriers of configuration, built.

use std::sync::Arc;

use super::bird::Bird;
use super::email::{Email, Patience};
use super::generic_http::GenericHttp;
use super::http_api::{Dialect, HttpApi};
use super::infobip::Infobip;
use super::kannel::Kannel;
use super::meta::Meta;
use super::outgoing_http::Caller;
use super::plivo::Plivo;
use super::sandbox::Sandbox;
use super::smpp::Smpp;
use super::sns::Sns;
use super::twilio::Twilio;
use super::vonage::{VonageMessages, VonageSms};
use super::{Carrier, Carriers};
use crate::clock::Clock;
use crate::config::{CarrierConfig, CarrierKind, Config};
use crate::db::Db;
use crate::error::Result;
use crate::terms::Channel;

/// Builds every carrier that `config` names; the sandbox is always among them. Errors: TLS cannot be set up.
pub fn carriers(config: &Config, db: &Db, clock: &Clock) -> Result<Carriers> {
    let mut all = Carriers::default();
    let sandbox = |name: String| Arc::new(Sandbox::new(name, db.clone(), clock.clone()));
    all.add(sandbox(CarrierConfig::sandbox().name));
    let mut builder = Builder { config, clock, caller: None };
    for carrier in &config.carriers {
        let built = builder.build(carrier)?.unwrap_or_else(|| sandbox(carrier.name.clone()));
        all.add_with(built, carrier.room);
    }
    Ok(all)
}

/// The same without the sandbox, which needs the database; each with what it was made of.
pub fn real_carriers<'c>(config: &'c Config, clock: &Clock) -> Vec<(&'c CarrierConfig, Result<Arc<dyn Carrier>>)> {
    let mut builder = Builder { config, clock, caller: None };
    config.carriers.iter().filter_map(|known| Some((known, builder.build(known).transpose()?))).collect()
}

struct Builder<'a> {
    config: &'a Config,
    clock: &'a Clock,
    /// Made for the first carrier that needs it: it reads the system's certificates.
    caller: Option<Caller>,
}

impl Builder<'_> {
    /// A carrier; `None` for the sandbox.
    fn build(&mut self, carrier: &CarrierConfig) -> Result<Option<Arc<dyn Carrier>>> {
        let (name, channels) = (carrier.name.clone(), carrier.channels.clone());
        let built: Arc<dyn Carrier> = match &carrier.kind {
            CarrierKind::Sandbox => return Ok(None),
            CarrierKind::Twilio(account) => {
                let callback = format!("{}/hooks/{name}/status", self.config.public_url());
                Arc::new(Twilio::new((name, channels), account.clone(), callback, self.caller()?))
            }
            CarrierKind::Http(keys) => Arc::new(GenericHttp::new(name, channels, keys.clone(), self.caller()?)),
            CarrierKind::Smpp(keys) => Arc::new(Smpp::new(name, channels, (**keys).clone(), self.patience())?),
            CarrierKind::Smtp(account) => Arc::new(Email::new(name, channels, account.clone(), self.patience())?),
            CarrierKind::VonageSms(account) => self.api((name, channels), VonageSms(account.clone()))?,
            CarrierKind::Vonage(account) => self.api((name, channels), VonageMessages(account.clone()))?,
            CarrierKind::Infobip(account) => self.api((name, channels), Infobip(account.clone()))?,
            CarrierKind::Plivo(account) => self.api((name, channels), Plivo(account.clone()))?,
            CarrierKind::Bird(account) => {
                let bird = Bird { account: account.clone(), clock: self.clock.clone() };
                self.api((name, channels), bird)?
            }
            CarrierKind::Sns(account) => self.api((name, channels), Sns::new(account.clone(), self.clock.clone()))?,
            CarrierKind::Kannel(account) => self.api((name, channels), Kannel(account.clone()))?,
            CarrierKind::Meta(account) => self.api((name, channels), Meta(account.clone()))?,
        };
        Ok(Some(built))
    }

    fn api<D: Dialect + 'static>(&mut self, named: (String, Vec<Channel>), dialect: D) -> Result<Arc<dyn Carrier>> {
        let public_url = self.config.public_url().to_string();
        Ok(Arc::new(HttpApi::new(named, dialect, &public_url, self.caller()?)))
    }

    fn patience(&self) -> Patience {
        let outbound = &self.config.outbound;
        Patience { connect: outbound.connect_timeout, total: outbound.total_timeout }
    }

    fn caller(&mut self) -> Result<Caller> {
        let caller = match self.caller.take() {
            Some(caller) => caller,
            None => Caller::new(&self.config.outbound)?,
        };
        self.caller = Some(caller.clone());
        Ok(caller)
    }
}
