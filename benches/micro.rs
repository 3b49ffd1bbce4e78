//! The small steps that every message takes, each alone: time and allocations. `cargo bench --bench micro`; an argument
//! names those to run. The steps run in memory that is warm, so the figures are floors, not what a request pays.

use std::hint::black_box;
use std::str::FromStr;
use std::time::Duration;

use divan::{AllocProfiler, Bencher};
use postern::accounts::{Countries, CountryMode, Protection};
use postern::clock::Millis;
use postern::fraud::engine::{Event, Features, Key, Room, Rules, State, decide};
use postern::fraud::{Attempt, Listing, screen};
use postern::http::tree::Tree;
use postern::ids::{OrgId, VerificationId};
use postern::limits::{Limits, Policies, Policy, Rate, Rule, ScopeKey, StampLog};
use postern::money::{Currency, Micros};
use postern::otp::{CodeLength, CodeSeed, derive};
use postern::phone::{Country, LineType, Phone};
use postern::secret::{Keyring, sha256};
use postern::terms::{Channel, Kind};
use postern::text::measure;
use postern::wallet::{ChargedAt, Price, Want, price_of};

/// Counts what is allocated, through the allocator that the server uses.
#[global_allocator]
static ALLOCATOR: AllocProfiler<mimalloc::MiMalloc> = AllocProfiler::new(mimalloc::MiMalloc);

const NOW: Millis = Millis(1_790_000_000_000);
const BODY: &[u8] = br#"{"to":"+447100000001","channel":"sms","body":"Your code is 123456"}"#;

fn main() {
    // The metadata of all numbering plans is read once in a process, not by the first message.
    postern::phone::warm_up();
    // Many a sample: one alone is shorter than the clock's own noise.
    divan::Divan::from_args().sample_size(256).main();
}

/// The eight rules of a request, on a plan that lets it pass.
fn rules() -> Option<[Rule; 8]> {
    let policies = Policies::plan_defaults("enterprise")?;
    let (key, org) = (ScopeKey::of("key"), ScopeKey::of("org"));
    let of = |policy, scope| Rule::new(policy, scope, policies.get(policy));
    Some([
        of(Policy::KeyBurstShort, key),
        of(Policy::KeyBurstMedium, key),
        of(Policy::KeyBurstLong, key),
        of(Policy::KeyMinute, key),
        of(Policy::OrgMinute, org),
        of(Policy::KeyWindow, key),
        of(Policy::KeyDaily, key),
        of(Policy::BandSend, key),
    ])
}

/// A request that passes all eight door limits; they are moved on by 10 ms each time, as at 100 requests a second.
#[divan::bench]
fn limits_take_passes(bencher: Bencher<'_, '_>) {
    let (limits, Some(rules), org) = (Limits::new(), rules(), OrgId::new(NOW)) else { return };
    let mut now = NOW;
    for _ in 0..20_000 {
        now = now.plus(Duration::from_millis(10));
        limits.take(org.as_str(), &rules, now);
    }
    bencher.bench_local(|| {
        now = now.plus(Duration::from_millis(10));
        limits.take(black_box(org.as_str()), black_box(&rules), now)
    });
}

/// A request that is refused: time stands still.
#[divan::bench]
fn limits_take_refuses(bencher: Bencher<'_, '_>) {
    let (limits, Some(rules), org) = (Limits::new(), rules(), OrgId::new(NOW)) else { return };
    for _ in 0..10_000 {
        limits.take(org.as_str(), &rules, NOW);
    }
    bencher.bench_local(|| limits.take(black_box(org.as_str()), black_box(&rules), NOW));
}

/// A number's window with three codes in it, as it comes from its row.
fn three_stamps() -> Vec<u8> {
    let mut log = StampLog::new();
    (0..3).for_each(|place| log.add(0x1234_5678_9abc_def0, NOW.plus(Duration::from_secs(60 * place))));
    log.encode()
}

/// From the row's bytes to a window.
#[divan::bench]
fn stamps_decode(bencher: Bencher<'_, '_>) {
    let bytes = three_stamps();
    bencher.bench_local(|| StampLog::decode(black_box(&bytes), NOW));
}

/// Whether one more code may go to a number: the tightest of its four limits.
#[divan::bench]
fn stamps_check(bencher: Bencher<'_, '_>) {
    let log = StampLog::decode(&three_stamps(), NOW);
    let later = NOW.plus(Duration::from_secs(600));
    bencher.bench_local(|| {
        log.check(Some(0x1234_5678_9abc_def0), Policy::OtpNumber, black_box(Rate::per_secs(3, 300)), later)
    });
}

/// One more code in the window.
#[divan::bench]
fn stamps_add(bencher: Bencher<'_, '_>) {
    let log = StampLog::decode(&three_stamps(), NOW);
    let later = NOW.plus(Duration::from_secs(600));
    bencher.with_inputs(|| log.clone()).bench_local_values(|mut log| {
        log.add(0x1234_5678_9abc_def0, later);
        log
    });
}

/// From a window to the row's bytes.
#[divan::bench]
fn stamps_encode(bencher: Bencher<'_, '_>) {
    let log = StampLog::decode(&three_stamps(), NOW);
    bencher.bench_local(|| black_box(&log).encode());
}

/// A number in E.164: parsed, validated, its country and line known.
#[divan::bench]
fn phone_parse() -> bool {
    Phone::parse(black_box("+447100000001"), None).is_ok()
}

/// A national number, as people write it.
#[divan::bench]
fn phone_parse_national(bencher: Bencher<'_, '_>) {
    let country: Option<Country> = "GB".parse().ok();
    bencher.bench_local(|| Phone::parse(black_box("07100 000-001"), country).is_ok());
}

/// The size of a short text and of a long one with letters beyond GSM-7.
#[divan::bench(args = ["Your code is 123456", "Ваш код 123456. Никому его не сообщайте, даже сотрудникам: они о нём не спросят."])]
fn text_measure(text: &str) -> u32 {
    measure(black_box(text)).segments
}

/// What an idempotency key's body is known by: read strictly, put in order, hashed.
#[divan::bench]
fn idempotency_fingerprint() -> Option<[u8; 32]> {
    let tree = Tree::parse(black_box(BODY)).ok()?;
    Some(sha256(&tree.canonical("idempotency_key")))
}

/// A price list: a line for everything, one for each country of two letters from AA on, some for prefixes.
fn prices(lines: usize) -> Vec<Price> {
    let letters = || 'A'..='Z';
    let countries = letters().flat_map(|first| letters().map(move |second| format!("{first}{second}")));
    let line = |country: Option<Country>, prefix: Option<String>| Price {
        channel: Channel::Sms,
        country,
        prefix,
        category: None,
        segment: 1,
        amount: Micros(31_200),
        currency: Currency::USD,
        valid_from: Millis(0),
        charged_at: ChargedAt::HandOff,
    };
    let of_countries = countries.map(|code| line(code.parse().ok(), None));
    let of_prefixes = (0..100).map(|prefix| line(None, Some(format!("+4471{prefix:02}"))));
    std::iter::once(line(None, None)).chain(of_prefixes).chain(of_countries).take(lines).collect()
}

/// The price of a message.
#[divan::bench(args = [1, 70, 500])]
fn price_of_list(bencher: Bencher<'_, '_>, lines: usize) {
    let (list, country) = (prices(lines), "GB".parse().ok());
    let want = Want { channel: Channel::Sms, kind: Kind::Otp, country, recipient: "+447100000001", segments: 1 };
    bencher.bench_local(|| price_of(black_box(&list), black_box(&want), NOW));
}

/// The verdict on an ordinary message, among sixty countries that are open.
#[divan::bench]
fn fraud_screen(bencher: Bencher<'_, '_>) {
    let open: Vec<Country> = prices(161).iter().filter_map(|price| price.country).collect();
    let countries = Countries::Only(open.iter().copied().chain("GB".parse().ok()).collect());
    let attempt = Attempt {
        channel: Channel::Sms,
        country: "GB".parse().ok(),
        line: Some(LineType::Mobile),
        mode: CountryMode::Allow,
    };
    let listing = Listing::default();
    bencher.bench_local(|| screen(black_box(&countries), Protection::Standard, black_box(attempt), &listing));
}

/// A verification's code.
#[divan::bench]
fn otp_derive(bencher: Bencher<'_, '_>) {
    let keyring = Keyring::new([7; 32]);
    let (verification, org) = (VerificationId::new(NOW), OrgId::new(NOW));
    let seed = CodeSeed { verification, attempt: 0, org, destination: "+447100000001" };
    bencher.bench_local(|| derive(black_box(&keyring), black_box(&seed), CodeLength::default()));
}

/// An engine that knows a million numbers, a fifth of which never verified, after 22 hours of traffic.
fn busy_engine() -> (State, Rules, Millis) {
    let (mut state, rules) = (State::new(1, Room::default()), Rules::of(Protection::Standard));
    let mut now = NOW;
    for number in 0..1_000_000u64 {
        now = now.plus(Duration::from_millis(80));
        let event = Event::Accepted(Box::new(attempt_of(number)), None);
        state.observe(&event, &rules, now);
        if number % 5 != 0 {
            state.observe(&Event::Verified { org: Key(1), number: Key(number) }, &rules, now);
        }
    }
    (state, rules, now)
}

/// Great Britain, parsed once a call: nothing beside the rest.
fn country() -> Country {
    match Country::from_str("GB").or_else(|_| Country::from_str("001")) {
        Ok(country) => country,
        Err(_) => std::process::abort(),
    }
}

fn attempt_of(number: u64) -> Features {
    Features {
        org: Key(1),
        credential: Key(2),
        number: Key(number),
        digits: 447_400_000_000 + number.wrapping_mul(7_919) % 90_000_000,
        country: country(),
        channel: Channel::Sms,
        price: Micros(40_000),
        network: Some(Key(number / 3)),
        device: None,
        named: Vec::new(),
        proven_at: None,
        reports: true,
    }
}

/// The engine's verdict on a new number.
#[divan::bench]
fn fraud_decide(bencher: Bencher<'_, '_>) {
    let (state, rules, now) = busy_engine();
    let mut number = 2_000_000;
    bencher.bench_local(|| {
        number += 1;
        decide(black_box(&state), &attempt_of(number), &rules, now).action
    });
}

/// What the engine learns from a new number's attempt.
#[divan::bench]
fn fraud_observe(bencher: Bencher<'_, '_>) {
    let (mut state, rules, mut now) = busy_engine();
    let mut number = 2_000_000;
    bencher.bench_local(|| {
        number += 1;
        now = now.plus(Duration::from_millis(80));
        state.observe(&Event::Accepted(Box::new(attempt_of(number)), None), &rules, now);
    });
}
