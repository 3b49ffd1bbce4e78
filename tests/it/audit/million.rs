//! A long chain: `cargo test --release --test it million -- --ignored --nocapture` makes a million rows and walks them.

use std::time::{Duration, Instant};

use super::*;

const ROWS: i64 = 1_000_000;
/// The whole walk must be shorter (docs/audit.md).
const WITHIN: Duration = Duration::from_secs(30);

#[actix_web::test]
#[ignore = "makes a million rows first, which takes minutes"]
async fn a_million_rows_are_walked_in_half_a_minute() {
    let (db, _backend) = told(0).await;
    for chunk in 0..ROWS / 2_000 {
        db.write_patiently(move |conn| (1..=2_000).try_for_each(|n| tell(conn, chunk * 2_000 + n))).await.unwrap();
    }
    let begun = Instant::now();
    let found = audit::verify_in_turns(&db, None).await.unwrap();
    let took = begun.elapsed();
    println!("{ROWS} rows walked in {took:?}");
    assert_eq!((found.whole, found.rows), (true, ROWS));
    assert!(took < WITHIN, "{took:?}");
}
