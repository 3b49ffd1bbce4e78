//! `mixed`: what a busy day looks like: 70 % messages, 20 % verifications, 5 % bulks of a hundred, 5 % lists.

use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Instant;

use anyhow::ensure;

use crate::args::Args;
use crate::drive::{self, Course, Shot, Tally};
use crate::nodes::Role;
use crate::requests::get;
use crate::row::{Row, millis};
use crate::scenarios::Messages;
use crate::scenarios::accept::Same;
use crate::scenarios::bulk::Bulks;
use crate::scenarios::verify::Verifier;
use crate::scene::Scene;
use crate::wire::Wire;

const BULK: usize = 100;

/// What came back, by kind of request.
type Kinds = BTreeMap<&'static str, Tally>;

struct Mix {
    messages: Messages,
    bulks: Bulks,
    lists: Same,
    verifier: Verifier,
}

/// A closed loop of the mixture.
pub async fn mixed(args: &Args) -> anyhow::Result<Vec<Row>> {
    let scene = Scene::open(args, Role::All, 0).await?;
    let course = scene.course(args.connections);
    let (key, numbers, books) = (scene.tenant.key.clone(), scene.numbers.clone(), scene.books.clone());
    let make = move || Mix {
        messages: Messages::new(&key, numbers.clone(), books.clone()),
        bulks: Bulks::new(&key, BULK, numbers.clone()),
        lists: Same(get("/v1/messages?limit=50", &key)),
        verifier: Verifier::of(&key, &numbers, &books),
    };
    let drive = drive::lanes(course.clone(), move |course, index| lane(course, index, make()), merge);
    let (done, costs) = scene.measure(&course, vec![drive]).await?;
    let kinds = done.into_iter().next().unwrap_or_default();
    let mut all = Tally::default();
    kinds.values().for_each(|tally| all.merge(tally));
    let mut row = costs.row(all.good.count()).named("mixed", args, "req").timed(&all.good);
    for (kind, tally) in &kinds {
        row.note(format!("{kind} {} p99 {:.2}", tally.good.count(), millis(tally.good.quantile(0.99))));
    }
    let log = scene.stage.log();
    row.must(log.is_empty(), format!("the server complained: {}", log.lines().next().unwrap_or_default()));
    Ok(vec![row])
}

async fn lane(course: Rc<Course>, index: usize, mut mix: Mix) -> anyhow::Result<Kinds> {
    let mut wire = Wire::open(course.node(index)?).await?;
    let mut kinds = Kinds::default();
    for turn in index.. {
        if course.is_over() {
            break;
        }
        match turn % 20 {
            0..14 => shoot(&course, &mut wire, &mut mix.messages, kinds.entry("send").or_default()).await?,
            14..18 => {
                let took = mix.verifier.verify(&mut wire).await?;
                let now = Instant::now();
                kinds.entry("start").or_default().note(&course, 201, 1, took.start, now);
                kinds.entry("check").or_default().note(&course, 200, 0, took.check, now);
            }
            18 => shoot(&course, &mut wire, &mut mix.bulks, kinds.entry("bulk").or_default()).await?,
            _ => shoot(&course, &mut wire, &mut mix.lists, kinds.entry("list").or_default()).await?,
        }
    }
    Ok(kinds)
}

async fn shoot(course: &Course, wire: &mut Wire, shot: &mut impl Shot, tally: &mut Tally) -> anyhow::Result<()> {
    let begin = Instant::now();
    let answer = wire.call(shot.next(begin)).await?;
    let (status, units, now) = (answer.status, shot.answered(answer), Instant::now());
    ensure!(status < 400, "a request of the mixture was answered {status}");
    tally.note(course, status, units, now - begin, now);
    Ok(())
}

fn merge(all: &mut Kinds, one: Kinds) {
    for (kind, tally) in one {
        all.entry(kind).or_default().merge(&tally);
    }
}
