//! Folds against their definitions, and against a slow twin that sees all rows.

use super::*;

fn folds(kind: FoldsKind, blocks: usize, test_blocks: usize, purge: FoldPurge) -> Folds {
    let settings = FoldSettings {
        kind,
        blocks,
        test_blocks,
        train_blocks: None,
        from: None,
        to: None,
    };
    Folds::new(settings, 0, 6_000, purge)
}

const PURGE: FoldPurge = FoldPurge {
    horizon_ns: 40,
    purge_ns: 0,
    embargo_ns: 25,
};

/// López de Prado 2018, ch. 12.3: six blocks, two of them tested, are 15 splits and 5 paths.
#[test]
fn six_blocks_of_which_two_are_tested_are_fifteen_folds_and_five_paths() {
    let folds = folds(FoldsKind::Combinatorial, 6, 2, PURGE);
    assert_eq!(folds.len(), 15);
    let paths = folds.paths();
    assert_eq!(paths.len(), 5);
    let mut used: Vec<(usize, usize)> = vec![];
    for path in &paths {
        assert_eq!(path.len(), 6);
        for (block, fold) in path.iter().enumerate() {
            assert_eq!(folds.all[*fold].blocks[block], BlockRole::Test);
            used.push((*fold, block));
        }
    }
    used.sort_unstable();
    used.dedup();
    assert_eq!(used.len(), 30, "each test of each fold is in one path");
    let mut all: Vec<_> = folds
        .all
        .iter()
        .map(|fold| format!("{:?}", fold.blocks))
        .collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 15, "no fold comes twice");
}

#[test]
fn a_walk_forward_trains_on_what_was_before() {
    let folds = folds(FoldsKind::WalkForward, 4, 2, PURGE);
    let (unused, train, test) = (BlockRole::Unused, BlockRole::Train, BlockRole::Test);
    let roles: Vec<_> = folds.all.iter().map(|fold| fold.blocks.clone()).collect();
    assert_eq!(
        roles,
        [
            vec![train, test, unused, unused],
            vec![train, train, test, unused],
            vec![train, train, train, test],
        ]
    );
    let described = serde_json::to_value(folds.described()).expect("JSON");
    assert_eq!(described[1]["name"], "fold_1");
    assert_eq!(described[1]["kind"], "walk_forward");
    let train = &described[1]["train"];
    assert_eq!(
        *train,
        serde_json::json!([["1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000003Z"]]),
        "neighbouring blocks are one stretch"
    );
    let last = walk_forward(4, Some(1)).remove(2);
    assert_eq!(
        last.blocks,
        [
            BlockRole::Unused,
            BlockRole::Unused,
            BlockRole::Train,
            BlockRole::Test
        ]
    );
}

/// No window or label of a training row meets a window's row or a label of a tested row, by looking at each
/// pair of rows.
#[test]
fn no_training_row_shares_anything_with_a_tested_one() {
    let mut random = 11_u64;
    let mut next = |below: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random >> 11) % below
    };
    let mut at = -200;
    let rows: Vec<Extent> = std::iter::from_fn(|| {
        at += next(12) as i64;
        (at < 6_300).then(|| Extent {
            at,
            window_start: Some(at - next(60) as i64),
            end: (next(9) > 0).then(|| at + next(41) as i64),
            excluded: next(15) == 0,
            group_since: None,
            group_place: None,
        })
    })
    .collect();
    let folds = folds(FoldsKind::Combinatorial, 6, 2, PURGE);
    let mut ends = BlockEnds::default();
    let mut roles: Vec<Vec<Option<&str>>> = vec![vec![]; folds.len()];
    for row in &rows {
        folds.note(&mut ends, row);
        for (fold, roles) in roles.iter_mut().enumerate() {
            roles.push(folds.role(fold, row, &ends));
        }
    }
    let mut counts = std::collections::BTreeMap::<&str, usize>::new();
    for (fold, roles) in roles.iter().enumerate() {
        let tested = |at: i64| {
            let block = (0..6_000).contains(&at).then_some((at / 1_000) as usize);
            block.is_some_and(|block| folds.all[fold].blocks[block] == BlockRole::Test)
        };
        for (row, role) in rows.iter().zip(roles) {
            match role {
                None => assert!(!(0..6_000).contains(&row.at)),
                Some("excluded") => assert!(row.excluded),
                Some("test") => assert!(tested(row.at)),
                Some(_) => {}
            }
            *counts.entry(role.unwrap_or("none")).or_default() += 1;
        }
        let of = |wanted: &'static str| {
            let both = rows.iter().zip(roles);
            both.filter(move |(_, role)| **role == Some(wanted))
                .map(|(row, _)| row)
        };
        for train in of("train") {
            assert!(!tested(train.at));
            for test in of("test") {
                let (from, to) = (train.begin(), train.end.unwrap_or(train.at));
                let (test_from, test_to) = (test.at, test.end.unwrap_or(test.at));
                assert!(to < test_from || from > test_to, "{train:?} {test:?}");
                let after = train.at - test_to;
                assert!(
                    train.at < test.at || after > PURGE.embargo_ns,
                    "{train:?} {test:?}"
                );
            }
        }
    }
    for role in ["none", "excluded", "train", "test", "purge", "embargo"] {
        assert!(
            counts.get(role).is_some_and(|count| *count > 15),
            "{counts:?}"
        );
    }
}
