//! What an organization sets about its money: when it wants to be told of its balance, what shall be paid in by itself,
//! and whom its invoices are made out to.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::store::{self, ProfileRow, SettingsRow};
use super::topups::money;
use crate::clock::Millis;
use crate::db::Conn;
use crate::error::{Code, Error, Result};
use crate::ids::OrgId;
use crate::money::{Micros, MoneyView};
use crate::terms::Mode;

/// Most thresholds of one wallet.
const MOST_THRESHOLDS: usize = 5;

/// What shall be paid in by itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"below": "20.00", "amount": "100.00"}))]
pub struct AutoTopup {
    /// Once less than this is free.
    #[schema(example = "20.00")]
    pub below: String,
    /// So much is asked for: an event says so and a top-up waits for its payment.
    #[schema(example = "100.00")]
    pub amount: String,
}

/// A wallet's settings.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"low_balance": ["50.00", "10.00"], "auto_topup": {"below": "20.00", "amount": "100.00"}}))]
pub struct WalletSettings {
    /// Be told by an event when less than this is free, of each once until it is free again. At most 5.
    #[serde(default)]
    pub low_balance: Vec<String>,
    /// What shall be paid in by itself; nothing where absent.
    pub auto_topup: Option<AutoTopup>,
}

impl WalletSettings {
    /// As a row. Errors: `validation_failed`.
    pub(super) fn row(&self, owner: (OrgId, Mode), now: Millis) -> Result<SettingsRow> {
        if self.low_balance.len() > MOST_THRESHOLDS {
            return Err(Error::field("low_balance", format!("must be at most {MOST_THRESHOLDS} amounts")));
        }
        let at = |field: &str, text: &str| match money(text, None) {
            Ok((amount, _)) => Ok(amount),
            Err(_) => Err(Error::field(field, "must be a decimal text of at most six places from 0.01 to 1000000")),
        };
        let low: Result<Vec<Micros>> = self.low_balance.iter().map(|text| at("low_balance", text)).collect();
        let mut low: Vec<i64> = low?.into_iter().map(|amount| amount.0).collect();
        low.sort_unstable_by(|one, other| other.cmp(one));
        low.dedup();
        let auto = self.auto_topup.as_ref();
        let below = auto.map(|auto| at("auto_topup.below", &auto.below)).transpose()?;
        let amount = auto.map(|auto| at("auto_topup.amount", &auto.amount)).transpose()?;
        Ok(SettingsRow {
            org_id: owner.0,
            mode: owner.1,
            thresholds: serde_json::to_string(&low).map_err(Error::internal)?,
            told_micros: None,
            auto_below_micros: below,
            auto_amount_micros: amount,
            updated_at: now,
        })
    }

    /// As they are kept.
    pub(super) fn of(row: &SettingsRow) -> WalletSettings {
        let auto = row.auto_below_micros.zip(row.auto_amount_micros);
        WalletSettings {
            low_balance: thresholds(row).iter().map(Micros::to_string).collect(),
            auto_topup: auto.map(|(below, amount)| AutoTopup { below: below.to_string(), amount: amount.to_string() }),
        }
    }
}

/// The thresholds, the highest first.
pub(super) fn thresholds(row: &SettingsRow) -> Vec<Micros> {
    let list: Vec<i64> = serde_json::from_str(&row.thresholds).unwrap_or_default();
    list.into_iter().map(Micros).collect()
}

/// Whom an organization's invoices are made out to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "ACME Ltd", "address": ["1 High Street", "Leeds LS1 1AA", "United Kingdom"], "tax_id": "GB987654321", "email": "billing@acme.example"}))]
pub struct BillingProfile {
    /// 1 to 100 characters.
    #[schema(min_length = 1, max_length = 100)]
    pub name: String,
    /// The lines of its address, at most 6.
    #[serde(default)]
    pub address: Vec<String>,
    /// Its tax number.
    #[schema(max_length = 40)]
    pub tax_id: Option<String>,
    /// Where its invoices are mailed to; nowhere where absent.
    #[schema(max_length = 254)]
    pub email: Option<String>,
}

/// Reads whom an organization's invoices are made out to; `fallback` is its name where nobody has said.
pub fn load_profile(conn: &mut Conn, org: OrgId, fallback: &str) -> Result<BillingProfile> {
    let found = store::find_profile(conn, org)?;
    Ok(found.map_or_else(
        || BillingProfile { name: String::from(fallback), address: Vec::new(), tax_id: None, email: None },
        |row| BillingProfile {
            name: row.name,
            address: row.address.lines().map(String::from).collect(),
            tax_id: row.tax_id,
            email: row.email,
        },
    ))
}

/// Writes whom an organization's invoices are made out to. Errors: `validation_failed`.
pub fn save_profile(conn: &mut Conn, org: OrgId, profile: &BillingProfile, now: Millis) -> Result<()> {
    let fits = |text: &str, most: usize| {
        let count = text.chars().count();
        (1..=most).contains(&count) && !text.trim().is_empty() && !text.chars().any(char::is_control)
    };
    let email_fits = |text: &str| text.len() <= 254 && text.parse::<lettre::Address>().is_ok();
    let address_fits = profile.address.len() <= 6 && profile.address.iter().all(|line| fits(line, 80));
    let faults = [
        (fits(&profile.name, 100), "name", "must have 1 to 100 printable characters"),
        (address_fits, "address", "must be at most 6 lines of 1 to 80 printable characters"),
        (
            profile.tax_id.as_deref().is_none_or(|text| fits(text, 40)),
            "tax_id",
            "must have 1 to 40 printable characters",
        ),
        (profile.email.as_deref().is_none_or(email_fits), "email", "must be a mail address"),
    ];
    let wrong = faults.into_iter().filter(|(fits, ..)| !fits);
    let error = wrong.fold(Error::new(Code::ValidationFailed), |error, (_, field, why)| error.and_field(field, why));
    if error.has_fields() {
        return Err(error);
    }
    store::put_profile(
        conn,
        &ProfileRow {
            org_id: org,
            name: profile.name.clone(),
            address: profile.address.join("\n"),
            tax_id: profile.tax_id.clone(),
            email: profile.email.clone(),
            updated_at: now,
        },
    )
}

/// A threshold as events show it.
pub(super) fn shown(amount: Micros, wallet: &crate::wallet::Wallet) -> MoneyView {
    MoneyView::new(amount, wallet.currency)
}
