//! Rules about a probability of default: judged when they are due, not only when a statement comes.

use serde_json::{Value, json};

use crate::given::{self, Folder};

const DAY: i64 = 86_400_000_000_000;
const START: i64 = 1_600_000_000_000_000_000;

/// A pipeline whose score is the field `pd` of a statement, with one rule.
fn pipeline(rule: &str) -> String {
    format!(
        "name = \"rules\"\n[source]\nkind = \"kafka\"\ntopics = [\"credit.statements.v1\", \"alerts.control.v1\"]\n\
         [row]\non = \"statement\"\n[[feature]]\nname = \"pd\"\nkind = \"field\"\n\
         [model]\nkind = \"sum\"\nnormalise = \"none\"\n\
         [signal]\nschema = \"signals.default.v1\"\nhorizon_ms = 31_536_000_000\n\
         [[alert]]\nname = \"rule\"\n{rule}\nseverity = {{ warning = 0.15, critical = 0.25 }}\n\
         [sink]\nkind = \"kafka\"\n"
    )
}

fn statement(day: i64, period: i64, pd: f64) -> String {
    json!({"ts_event": START + day * DAY, "obligor": "C", "period": period, "items": {"pd": pd}})
        .to_string()
}

fn tick(day: i64) -> String {
    json!({"ts_event": START + day * DAY, "action": "tick"}).to_string()
}

/// State and day of each alert, in the order in which they are told.
fn alerts(test: &str, rule: &str, lines: &[String]) -> Vec<String> {
    let folder = Folder::new(&format!("field-{test}"));
    let (pipeline, input) = (
        folder.write("pipeline.toml", pipeline(rule)),
        folder.write("in.jsonl", lines.join("\n")),
    );
    let to = folder.path("alerts.jsonl");
    let [pipeline, input, to] = [&pipeline, &input, &to].map(|path| path.to_str().expect("text"));
    let run = given::foretick(&["replay", pipeline, "--input", input, "--alerts", to]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let told = |line: &str| {
        let alert: Value = serde_json::from_str(line).expect("an alert is JSON");
        let day = (alert["ts_event"].as_i64().expect("a time") - START) / DAY;
        format!("{day} {}", alert["state"].as_str().expect("a state"))
    };
    folder.read("alerts.jsonl").lines().map(told).collect()
}

const YEARLY: &str =
    "on.change = { enter_ratio = 3.0, exit_ratio = 1.5, since_ms = 31_536_000_000 }";
const FROM_BEFORE: &str = "on.change = { enter_ratio = 3.0, exit_ratio = 1.5 }";

#[test]
fn a_change_in_a_year_fires_at_the_tick_at_which_the_year_is_over() {
    let lines = [
        statement(0, 0, 0.01),
        statement(300, 1, 0.05),
        tick(364),
        tick(365),
        tick(600),
    ];
    assert_eq!(alerts("change-tick", YEARLY, &lines), ["365 firing"]);
    let without = [
        statement(0, 0, 0.01),
        statement(300, 1, 0.05),
        statement(700, 2, 0.05),
    ];
    assert_eq!(
        alerts("change-statement", YEARLY, &without),
        ["365 firing", "665 resolved"]
    );
}

#[test]
fn a_restatement_is_not_a_new_year() {
    let lines = [
        statement(0, 2010, 0.01),
        statement(30, 2010, 0.02),
        statement(365, 2011, 0.08),
        statement(395, 2011, 0.09),
        statement(730, 2012, 0.10),
    ];
    assert_eq!(
        alerts("restated", FROM_BEFORE, &lines),
        ["365 firing", "730 resolved"]
    );
    let worse = [
        statement(0, 2010, 0.01),
        statement(30, 2010, 0.08),
        statement(365, 2011, 0.09),
    ];
    assert_eq!(alerts("restated-worse", FROM_BEFORE, &worse), [""; 0]);
}

#[test]
fn what_ends_when_it_is_due_does_not_fire() {
    let rule = "on.level = { enter = 0.1, exit = 0.05 }\nfor_ms = 864_000_000";
    let ends = [statement(0, 0, 0.2), statement(10, 1, 0.01), tick(30)];
    assert_eq!(
        alerts("for-ends", rule, &ends),
        ["0 pending", "10 resolved"]
    );
    let holds = [statement(0, 0, 0.2), statement(10, 1, 0.2), tick(30)];
    assert_eq!(
        alerts("for-holds", rule, &holds),
        ["0 pending", "10 firing"]
    );
    let ticked = [statement(0, 0, 0.2), tick(10)];
    assert_eq!(
        alerts("for-tick", rule, &ticked),
        ["0 pending", "10 firing"]
    );
}

#[test]
fn an_evaluation_lets_time_pass_to_its_end() {
    let folder = Folder::new("field-evaluate-alerts");
    let lines = [
        statement(0, 0, 0.01),
        statement(300, 1, 0.05),
        statement(600, 2, 0.05).replace("\"C\"", "\"D\""),
    ];
    folder.write("pipeline.toml", pipeline(YEARLY));
    folder.write("in.jsonl", lines.join("\n"));
    folder.write(
        "labels.jsonl",
        "{\"key\":\"C\",\"outcome\":1}\n{\"key\":\"D\",\"outcome\":0}\n",
    );
    let [pipeline, input, labels] = ["pipeline.toml", "in.jsonl", "labels.jsonl"]
        .map(|name| folder.path(name).display().to_string());
    let run = given::foretick(&[
        "evaluate", &pipeline, "--input", &input, "--labels", &labels, "--json",
    ]);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let report: Value = serde_json::from_str(&run.stdout).expect("a report is JSON");
    assert_eq!(report["alerts"]["episodes"], 1, "{report}");
}
