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
    all.add(Arc::new(Sandbox::new(CarrierConfig::sandbox().name, db.clone(), clock.clone())));
    let mut builder = Builder { config, db, clock, caller: None };
    for carrier in &config.carriers {
        all.add_with(builder.build(carrier)?, carrier.room);
    }
    Ok(all)
}

struct Builder<'a> {
    config: &'a Config,
    db: &'a Db,
    clock: &'a Clock,
    /// Made for the first carrier that needs it: it reads the system's certificates.
    caller: Option<Caller>,
}

impl Builder<'_> {
    fn build(&mut self, carrier: &CarrierConfig) -> Result<Arc<dyn Carrier>> {
        let (name, channels) = (carrier.name.clone(), carrier.channels.clone());
        Ok(match &carrier.kind {
            CarrierKind::Sandbox => Arc::new(Sandbox::new(name, self.db.clone(), self.clock.clone())),
            CarrierKind::Twilio(account) => {
                let callback = format!("{}/hooks/{name}/status", self.config.public_url());
                Arc::new(Twilio::new((name, channels), account.clone(), callback, self.caller()?))
            }
            CarrierKind::Http(keys) => Arc::new(GenericHttp::new(name, channels, keys.clone(), self.caller()?)),
            CarrierKind::Smtp(account) => {
                let outbound = &self.config.outbound;
                let patience = Patience { connect: outbound.connect_timeout, total: outbound.total_timeout };
                Arc::new(Email::new(name, channels, account.clone(), patience)?)
            }
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
        })
    }

    fn api<D: Dialect + 'static>(&mut self, named: (String, Vec<Channel>), dialect: D) -> Result<Arc<dyn Carrier>> {
        let public_url = self.config.public_url().to_string();
        Ok(Arc::new(HttpApi::new(named, dialect, &public_url, self.caller()?)))
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
