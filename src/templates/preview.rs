//! What a template looks like when it is sent, what spoils it, and what it costs. Pure.

use std::collections::BTreeSet;

use serde::Serialize;
use utoipa::ToSchema;

use super::chosen::Values;
use super::slots::filled;
use super::words::Words;
use crate::clock::Millis;
use crate::money::MoneyView;
use crate::phone::Country;
use crate::providers::TemplateCategory;
use crate::terms::{Channel, Kind};
use crate::text::{Encoding, first_non_gsm, measure};
use crate::wallet::{Price, Want, price_of};

/// Most characters that are named.
const NAMED_MAX: usize = 10;

/// A template filled with its examples.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct TemplatePreview {
    /// The text; null where WhatsApp writes it.
    #[schema(example = "481516 is your ACME code.")]
    pub text: Option<String>,
    /// SMS encoding: of the text filled with the examples; longer or other values may need more.
    pub encoding: Option<Encoding>,
    /// SMS parts; 1 on other channels.
    #[schema(example = 1)]
    pub segments: u32,
    /// What of 160 septets (GSM-7) or 70 UTF-16 units (UCS-2) the text takes, on SMS.
    #[schema(example = 68)]
    pub units: Option<u32>,
    /// The characters that force UCS-2 on an SMS, each once, at most ten: without them it has fewer parts.
    pub not_gsm7: Vec<OddCharacter>,
    /// What a message costs: to the countries that the price list names, and elsewhere (null).
    pub prices: Vec<CountryPrice>,
}

/// A character that GSM-7 lacks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct OddCharacter {
    /// The character.
    #[schema(example = "’")]
    pub character: String,
    /// Where it stands first, characters from 0.
    #[schema(example = 12)]
    pub position: usize,
    /// What would do, where there is a plain form of it.
    #[schema(example = "'")]
    pub instead: Option<&'static str>,
}

/// What a message to a country costs.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CountryPrice {
    /// The country; null for every other.
    #[schema(value_type = Option<String>, example = "GB")]
    pub country: Option<Country>,
    /// The price of the whole message.
    pub price: MoneyView,
}

/// What is typed for typography and turns an SMS into UCS-2. Source: 3GPP TS 23.038, 6.2.1, which has none of these.
const PLAIN: &[(char, &str)] = &[
    ('‘', "'"),
    ('’', "'"),
    ('`', "'"),
    ('“', "\""),
    ('”', "\""),
    ('„', "\""),
    ('«', "\""),
    ('»', "\""),
    ('–', "-"),
    ('—', "-"),
    ('…', "..."),
    ('\u{a0}', " "),
    ('\u{202f}', " "),
    ('\t', " "),
    ('•', "*"),
    ('ç', "c"),
];

/// The preview of `words` for an organization called `app`, by the price list at `now`.
pub fn preview(
    words: &Words,
    (channel, category): (Channel, TemplateCategory),
    app: &str,
    (prices, now): (&[Price], Millis),
) -> TemplatePreview {
    let values = Values::of_examples(words, app);
    let text = words.body.as_deref().and_then(|body| filled(body, values.map()).ok());
    let size = text.as_deref().filter(|_| channel == Channel::Sms).map(measure);
    let segments = size.as_ref().map_or(1, |size| size.segments);
    TemplatePreview {
        encoding: size.as_ref().map(|size| size.encoding),
        segments,
        units: size.as_ref().map(|size| size.units),
        not_gsm7: text.as_deref().filter(|_| channel == Channel::Sms).map(odd_characters).unwrap_or_default(),
        prices: prices_of(prices, (channel, kind_of(category), segments), now),
        text,
    }
}

fn kind_of(category: TemplateCategory) -> Kind {
    match category {
        TemplateCategory::Authentication => Kind::Otp,
        TemplateCategory::Utility => Kind::Transactional,
        TemplateCategory::Marketing => Kind::Marketing,
    }
}

fn odd_characters(text: &str) -> Vec<OddCharacter> {
    let mut found: Vec<OddCharacter> = Vec::new();
    for (position, c) in text.chars().enumerate() {
        let character = c.to_string();
        if found.len() == NAMED_MAX {
            break;
        }
        if first_non_gsm(&character).is_some() && found.iter().all(|known| known.character != character) {
            let instead = PLAIN.iter().find(|(odd, _)| *odd == c).map(|(_, plain)| *plain);
            found.push(OddCharacter { character, position, instead });
        }
    }
    found
}

fn prices_of(list: &[Price], (channel, kind, segments): (Channel, Kind, u32), now: Millis) -> Vec<CountryPrice> {
    let countries = list.iter().filter(|price| price.channel == channel).filter_map(|price| price.country);
    let named: BTreeSet<Country> = countries.collect();
    std::iter::once(None)
        .chain(named.into_iter().map(Some))
        .filter_map(|country| {
            let want = Want { channel, kind, country, recipient: "", segments };
            let priced = price_of(list, &want, now)?;
            Some(CountryPrice { country, price: MoneyView::new(priced.amount, priced.currency) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::{Currency, Micros};
    use crate::wallet::ChargedAt;

    fn of(body: &str, prices: &[Price]) -> TemplatePreview {
        let words = Words { body: Some(body.to_owned()), ..Words::default() };
        preview(&words, (Channel::Sms, TemplateCategory::Authentication), "ACME", (prices, Millis(10)))
    }

    #[test]
    fn what_forces_ucs2_is_named_with_its_plain_form() {
        let seen = of("{{code}} is {{app}}’s code – don’t share ß ş", &[]);
        assert_eq!((seen.encoding, seen.segments), (Some(Encoding::Ucs2), 1));
        let odd: Vec<_> = seen.not_gsm7.iter().map(|odd| (odd.character.as_str(), odd.position, odd.instead)).collect();
        assert_eq!(odd, [("’", 14, Some("'")), ("–", 22, Some("-")), ("ş", 38, None)]);
        let plain = of("{{code}} is {{app}}'s code - don't share", &[]);
        assert!(plain.encoding == Some(Encoding::Gsm7) && plain.not_gsm7.is_empty());
        assert_eq!(plain.text.as_deref(), Some("481516 is ACME's code - don't share"));
    }

    #[test]
    fn a_message_costs_its_parts_by_country() {
        let price = |country: Option<&str>, amount, channel| Price {
            channel,
            country: country.map(|c| c.parse().unwrap()),
            prefix: None,
            category: None,
            segment: 1,
            amount: Micros(amount),
            currency: Currency::USD,
            charged_at: ChargedAt::HandOff,
            valid_from: Millis(0),
        };
        let list = [
            price(None, 1_000, Channel::Sms),
            price(Some("GB"), 4_000, Channel::Sms),
            price(Some("US"), 9_000, Channel::Email),
        ];
        let seen = of(&format!("{{{{code}}}} {}", "x".repeat(160)), &list);
        let told: Vec<_> = seen
            .prices
            .iter()
            .map(|one| {
                (one.country.map(|c| c.to_string()), serde_json::to_value(&one.price).unwrap()["amount"].clone())
            })
            .collect();
        assert_eq!(seen.segments, 2);
        assert_eq!(told.len(), 2);
        assert_eq!((told[0].0.clone(), told[1].0.as_deref()), (None, Some("GB")));
        assert!(told[1].1.to_string().contains("0.008"), "{told:?}");
    }
}
