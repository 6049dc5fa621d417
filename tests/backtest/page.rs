//! The page of a backtest: its figures are those of `--json`, it asks for nothing outside, and a browser
//! shows it without errors, on narrow screens too.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;

use crate::given::{Folder, SMALL, capture, foretick, run};
use crate::{needs, report};

/// A name that would run as a script where it is not escaped.
const HOSTILE: &str = "<img src=x onerror=alert(1)>\"'&.jsonl";

const LABEL: &str =
    "\n[label]\nhorizon_ms = 500\nthreshold_bps = 0.1\ntest_from = \"2026-01-05T00:00:10Z\"\n";

/// A page, the JSON of the same run, and the folder that the page lies in.
fn page(test: &str) -> (Folder, String, Value) {
    let folder = Folder::new(&format!("backtest-{test}"));
    let pipeline = folder.write("pipeline.toml", format!("{SMALL}{LABEL}"));
    let pipeline = pipeline.display().to_string();
    let input = folder.write(HOSTILE, capture(3, 20, &["BTCUSDT", "ETHUSDT"]));
    let input = input.display().to_string();
    let written = folder.path("page.html").display().to_string();
    let mut args = vec![
        "backtest", &pipeline, "--input", &input, "--json", "--report", &written,
    ];
    args.extend([
        "--sweep",
        "backtest.enter=1,9,60000",
        "--sweep",
        "backtest.hold_ms=300,700",
    ]);
    for set in [
        "backtest.enter=1",
        "backtest.hold_ms=300",
        "backtest.size=0.5",
        "backtest.latency_ms=20",
        "backtest.fee_bps=1",
        "backtest.fill_on=book",
    ] {
        args.extend(["--set", set]);
    }
    let json = report(&foretick(&args));
    let html = folder.read("page.html");
    (folder, html, json)
}

/// The figures of a page, by their paths: the exact value, and the text.
fn figures(html: &str) -> BTreeMap<String, (String, String)> {
    let mut found = BTreeMap::new();
    for part in html.split("<data ").skip(1) {
        let attribute = |name: &str| {
            let (_, rest) = part
                .split_once(&format!("{name}=\""))
                .expect("an attribute");
            let (value, _) = rest.split_once('"').expect("its end");
            unescaped(value)
        };
        let (_, body) = part.split_once('>').expect("the end of the tag");
        let (body, _) = body.split_once("</data>").expect("the end of the element");
        found.insert(
            attribute("data-figure"),
            (attribute("value"), unescaped(body)),
        );
    }
    found
}

fn unescaped(text: &str) -> String {
    let signs = [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#x27;", "'"),
        ("&amp;", "&"),
    ];
    let replaced = |text: String, (name, sign): (&str, &str)| text.replace(name, sign);
    signs.into_iter().fold(text.to_owned(), replaced)
}

/// What a figure of the JSON is in the page.
fn text_of(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// The paths of all numbers of a JSON object.
fn numbers(value: &Value, path: &str, found: &mut Vec<String>) {
    let below = |key: &str| match path {
        "" => key.to_owned(),
        path => format!("{path}/{key}"),
    };
    match value {
        Value::Number(_) => found.push(path.to_owned()),
        Value::Array(values) => {
            for (at, value) in values.iter().enumerate() {
                numbers(value, &below(&at.to_string()), found);
            }
        }
        Value::Object(values) => {
            for (key, value) in values {
                numbers(
                    value,
                    &below(&key.replace('~', "~0").replace('/', "~1")),
                    found,
                );
            }
        }
        _ => {}
    }
}

/// Checks that what is shown of a number is the number, rounded to its last digit and not cut.
fn is_rounded(text: &str, value: &str, path: &str) {
    let number = |text: &str| -> f64 { text.parse().expect("a number") };
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let places = digits.split_once('.').map_or(0, |(_, places)| places.len());
    let last = 10_f64.powi(power.parse::<i32>().expect("a power") - places as i32);
    let off = (number(text) - number(value)).abs();
    assert!(
        off <= 0.500_001 * last,
        "{path}: {value} is shown as {text}"
    );
    assert!(
        text == value || digits.len() >= 4,
        "{path}: {value} is shown as {text}"
    );
}

/// Checks that each figure of a page is that of the JSON; returns them.
pub(crate) fn is_that_of(html: &str, json: &Value) -> BTreeMap<String, (String, String)> {
    let shown = figures(html);
    assert!(shown.len() > 20, "{shown:?}");
    for (path, (value, text)) in &shown {
        let of_json = json.pointer(&format!("/{path}")).unwrap_or(&Value::Null);
        assert_eq!(*value, text_of(of_json), "{path}");
        match of_json {
            Value::Null => assert_eq!(text, "–", "{path}"),
            Value::Number(_) => is_rounded(text, value, path),
            _ => assert_eq!(text, value, "{path}"),
        }
    }
    shown
}

#[test]
fn every_figure_is_that_of_the_json_and_nothing_is_outside() {
    let (_folder, html, json) = page("page");
    let shown = is_that_of(&html, &json);
    let mut all = vec![];
    numbers(&json, "", &mut all);
    // What a chart or a sentence shows, or a head of a row names.
    let is_elsewhere = |path: &str| {
        let words = [
            "span",
            "bins",
            "by_latency",
            "by_size",
            "by_fee",
            "sweep",
            "ic",
            "carry",
            "split",
        ];
        let last = path.rsplit('/').next().unwrap_or_default();
        words
            .iter()
            .any(|word| path.starts_with(word) || last == *word)
            || path.contains("/bins/")
            || ["ts_entry", "carry"].contains(&last)
    };
    let missing: Vec<&String> = all
        .iter()
        .filter(|path| !shown.contains_key(*path) && !is_elsewhere(path))
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for outside in [
        "http:", "https:", "<script", "src=", "url(", "@import", "//",
    ] {
        let place = html
            .find(outside)
            .map(|at| &html[at..(at + 80).min(html.len())]);
        let is_named = place.is_some_and(|place| place.starts_with("src=x onerror"));
        assert!(place.is_none() || is_named, "{outside}: {place:?}");
    }
    assert!(html.contains("&lt;img src=x") && !html.contains("<img"));
    assert!(html.len() < 1 << 20, "{} bytes", html.len());
    for words in ["in_sample", "selection"] {
        let codes = json["findings"].as_array().expect("a list of findings");
        assert!(
            codes.iter().any(|finding| finding["code"] == words),
            "{words}: {codes:?}"
        );
    }
    assert_eq!(
        html.matches("class=\"heat\"").count(),
        3 * 2 + 3 * 3,
        "two maps"
    );
}

/// A script that tells the page around it what a reader would see.
const PROBE: &str = r##"<script>
addEventListener("load", () => {
  const style = element => getComputedStyle(element);
  const shown = [...document.querySelectorAll("svg")].filter(one => style(one).display !== "none");
  parent.postMessage({
    width: innerWidth, needed: document.documentElement.scrollWidth,
    requests: performance.getEntriesByType("resource").length,
    figures: document.querySelectorAll("[data-figure]").length,
    narrow: shown.filter(one => one.classList.contains("narrow")).length,
    wide: shown.filter(one => one.classList.contains("wide")).length,
    titled: shown.filter(one => one.querySelector("title").textContent !== "").length,
    paper: style(document.body).backgroundColor, ink: style(document.body).color,
    clipped: [...document.querySelectorAll("#durations .scroll, #lineage .scroll")]
      .filter(one => one.scrollWidth > one.clientWidth).length,
    raw: [...document.querySelectorAll("section:not(#sweep) thead th")].map(one => one.textContent)
      .filter(text => text.includes("_")),
    small: [...document.querySelectorAll("p, td, data")].filter(one => parseFloat(style(one).fontSize) < 12).length,
  }, "*");
});
</script></body>"##;

/// What a browser says of a page in a frame of this width.
fn looked_at(chromium: &str, folder: &Folder, width: u32, more: &[&str]) -> (Value, String) {
    let frame = format!(
        "<!DOCTYPE html><pre id=\"told\"></pre><script>addEventListener(\"message\", event => \
         {{ document.getElementById(\"told\").textContent = JSON.stringify(event.data); }});</script>\
         <iframe src=\"probed.html\" style=\"width:{width}px;height:800px;border:0\"></iframe>"
    );
    let frame = folder.write("frame.html", frame);
    let profile = folder.path(&format!("profile-{width}-{}", more.len()));
    let mut browser = Command::new(chromium);
    browser.args([
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--dump-dom",
    ]);
    browser.args([
        "--enable-logging=stderr",
        "--disable-background-networking",
        "--no-first-run",
    ]);
    browser.args([
        "--virtual-time-budget=5000",
        "--host-resolver-rules=MAP * ~NOTFOUND",
    ]);
    browser
        .arg(format!("--user-data-dir={}", profile.display()))
        .args(more);
    let shown = run(browser.arg(format!("file://{}", frame.display())));
    let (_, told) = shown
        .stdout
        .split_once("id=\"told\">")
        .expect("the frame is there");
    let (told, _) = told.split_once("</pre>").expect("its end");
    let told = serde_json::from_str(&unescaped(told));
    (told.expect("the page has told of itself"), shown.stderr)
}

#[test]
fn a_browser_shows_it_without_errors_wide_and_narrow_light_and_dark() {
    let test = "a_browser_shows_it_without_errors_wide_and_narrow_light_and_dark";
    let Some(chromium) = needs::chromium(test) else {
        return;
    };
    let (folder, html, _) = page("page-browser");
    folder.write("probed.html", html.replace("</body>", PROBE));
    let figures = html.matches("data-figure=").count();
    let (narrow, said) = looked_at(chromium, &folder, 390, &[]);
    assert!(!said.contains("CONSOLE"), "{said}");
    assert_eq!(narrow["width"], 390);
    assert!(
        narrow["needed"].as_u64() <= Some(390),
        "no scrolling sideways: {narrow}"
    );
    assert_eq!(narrow["requests"], 0);
    assert_eq!(narrow["figures"], figures);
    assert_eq!(narrow["small"], 0, "no text is too small to read");
    assert_eq!(narrow["wide"], 0);
    assert_eq!(narrow["raw"], serde_json::json!([]), "heads are words");
    assert_eq!(narrow["clipped"], 0, "durations and files fit");
    assert!(narrow["narrow"].as_u64() > Some(10), "{narrow}");
    assert_eq!(narrow["titled"], narrow["narrow"]);
    let (wide, said) = looked_at(chromium, &folder, 1_000, &[]);
    assert!(!said.contains("CONSOLE"), "{said}");
    assert!(wide["needed"].as_u64() <= Some(1_000), "{wide}");
    assert_eq!(wide["narrow"], 0);
    assert_eq!(wide["clipped"], 0, "durations and files fit");
    assert_eq!(wide["wide"], narrow["narrow"]);
    let dark = ["--blink-settings=preferredColorScheme=0"];
    let (dark, _) = looked_at(chromium, &folder, 1_000, &dark);
    assert_eq!(wide["paper"], "rgb(255, 255, 255)");
    assert_ne!(dark["paper"], wide["paper"], "{dark}");
    assert_ne!(dark["ink"], wide["ink"]);
}

#[test]
fn a_page_is_about_the_time_that_was_traded() {
    let folder = Folder::new("backtest-page-span");
    let pipeline = folder.write("pipeline.toml", SMALL).display().to_string();
    let input = folder.write("day.jsonl", capture(3, 20, &["BTCUSDT"]));
    let (input, page) = (input.display().to_string(), folder.path("page.html"));
    let page = page.display().to_string();
    let span = [
        "--from",
        "2026-01-05T00:00:10Z",
        "--to",
        "2026-01-05T00:00:14Z",
    ];
    let args = ["backtest", &pipeline, "--input", &input, "--report", &page];
    let args = args.iter().chain(&span).map(|&word| word.to_owned());
    let mut args: Vec<String> = args.collect();
    for set in [
        "enter=1",
        "hold_ms=300",
        "size=0.5",
        "latency_ms=20",
        "fee_bps=1",
        "fill_on=book",
    ]
    .map(|set| format!("backtest.{set}"))
    {
        args.push("--set".into());
        args.push(set);
    }
    let run = foretick(&args);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    let html = folder.read("page.html");
    let lead = "signals from 2026-01-05T00:00:10Z to 2026-01-05T00:00:14";
    assert!(
        html.contains(lead),
        "{}",
        &html[..html.find("<nav").unwrap_or(0)]
    );
    let times: Vec<&str> = html
        .split("00:00:")
        .skip(1)
        .filter_map(|rest| rest.get(..2))
        .collect();
    let outside = times
        .iter()
        .filter(|second| !("10"..="15").contains(*second));
    assert_eq!(outside.count(), 0, "{times:?}");
    assert!(times.len() > 10, "labels of axes: {times:?}");
}

#[test]
fn a_page_has_a_name_that_says_so() {
    let folder = Folder::new("backtest-page-name");
    let pipeline = folder.write("pipeline.toml", SMALL).display().to_string();
    let input = folder.write("day.jsonl", capture(1, 1, &["BTCUSDT"]));
    let input = input.display().to_string();
    let page = folder.path("page.pdf").display().to_string();
    let run = foretick(&["backtest", &pipeline, "--input", &input, "--report", &page]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    assert!(
        run.stderr.contains("end the name in .html"),
        "{}",
        run.stderr
    );
}
