//! `[news]`, checked, with the files that it names.

use std::path::Path;

use crate::config;
use crate::config::{ConfigFault, PipelineFile, RowOn};
use crate::news::News;
use crate::news::fold::CopyRule;
use crate::news::route::Router;
use crate::news::wordpiece::WordPiece;

/// How headlines are read; none where the pipeline does not read headlines.
///
/// # Errors
/// The key whose value makes no sense, or the file that cannot be read.
pub(super) fn news(file: &PipelineFile, folder: &Path) -> Result<Option<News>, ConfigFault> {
    let tokens = file.features.iter().find_map(|feature| feature.max_tokens);
    match (&file.news, file.row.on == RowOn::News) {
        (None, false) => Ok(None),
        (Some(news), true) if file.engine.shards == 1 => {
            load(news, tokens.unwrap_or(0), folder).map(Some)
        }
        (Some(_), true) => Err(ConfigFault::at("engine.shards", ONE_SHARD)),
        (Some(_), false) => Err(ConfigFault::at(
            "news",
            "`[news]` needs `on = \"news\"` in [row]",
        )),
        (None, true) => Err(ConfigFault::at(
            "row.on",
            "headlines need a [news] table: vocabulary, half_life_ms",
        )),
    }
}

fn load(news: &config::NewsConfig, max_tokens: usize, folder: &Path) -> Result<News, ConfigFault> {
    let read = |key: &str, file: &Path| {
        let path = folder.join(file);
        std::fs::read_to_string(&path).map_err(|cause| {
            ConfigFault::at(key, format!("while reading {}: {cause}", path.display()))
        })
    };
    let vocabulary = read(VOCABULARY, &news.vocabulary)?;
    let pieces = WordPiece::parse(&vocabulary).map_err(|what| ConfigFault::at(VOCABULARY, what))?;
    let router = match &news.names {
        Some(file) => {
            Router::parse(&read(NAMES, file)?).map_err(|what| ConfigFault::at(NAMES, what))?
        }
        None => Router::default(),
    };
    let similarity = news.fold_similarity;
    for (key, is_wrong, what) in [
        (
            "news.half_life_ms",
            news.half_life_ms <= 0,
            "`half_life_ms` must be above zero",
        ),
        (
            "news.fold_ms",
            news.fold_ms < 0,
            "`fold_ms` must be zero or more",
        ),
        (
            "news.fold_similarity",
            !(similarity > 0.0 && similarity <= 1.0),
            "`fold_similarity` must be above 0 and at most 1",
        ),
    ] {
        if is_wrong {
            return Err(ConfigFault::at(key, what));
        }
    }
    Ok(News {
        pieces,
        max_tokens,
        router,
        language: news.language.clone(),
        unrouted: news.unrouted.clone(),
        rule: CopyRule {
            within: news.fold_ms.saturating_mul(1_000_000),
            similarity,
        },
        half_life: news.half_life_ns(),
    })
}

const VOCABULARY: &str = "news.vocabulary";
const NAMES: &str = "news.names";
const ONE_SHARD: &str = "`shards` must be 1: an item may concern several instruments, and is compared with \
     all earlier items";
