"""Checks the package on sets that are written here, against a slow twin."""

import json
import pathlib
import tempfile

import numpy as np
import pandas
import pyarrow as pa
import pyarrow.parquet as pq

import foretick

SECOND = 1_000_000_000
BEGIN = 1_767_571_200 * SECOND


def described_set(seed, steps=4, break_ms=3_000, rows=300):
    """Three instruments that take turns at random, with silences and bad rows; and its description."""
    dice = np.random.default_rng(seed)
    names = np.array(["AAA", "BBB", "CCC"])[dice.integers(0, 3, rows)]
    times = BEGIN + np.cumsum(dice.choice([200, 400, 5_000], rows, p=[0.6, 0.37, 0.03])) * 1_000_000
    quality = dice.choice(["ok", "stale", "gap"], rows, p=[0.96, 0.02, 0.02])
    starts, seen = [], {}
    for name, time in zip(names, times):
        own = seen.setdefault(name, [])
        own.append(int(time))
        starts.append(own[-steps] if len(own) >= steps else None)
    words = dice.choice(["down", "flat", "up", None], rows)
    zone = pa.timestamp("ns", "UTC")
    table = pa.table(
        {
            "instrument": pa.array(names),
            "ts_event": pa.array(times, zone),
            "quality": pa.array(quality).dictionary_encode(),
            "flow": pa.array(dice.normal(size=rows)),
            "mid": pa.array([None if dice.random() < 0.1 else 1.0 * at for at in range(rows)], pa.float64()),
            "next": pa.array(words, pa.string()).dictionary_encode(),
            "next_value": pa.array(dice.normal(size=rows)),
            "next_end": pa.array(times + SECOND, zone),
            "vol": pa.array(dice.normal(size=rows)),
            "vol_end": pa.array(times + SECOND, zone),
            "window_start": pa.array(starts, zone),
            "weight": pa.array(dice.random(rows)),
            "split": pa.array(["train"] * 150 + ["purge"] * 10 + ["test"] * (rows - 160)).dictionary_encode(),
            "fold_0": pa.array([None] * 50 + ["train"] * 100 + ["purge"] * 20 + ["test"] * (rows - 170)),
            "fold_1": pa.array(["test"] * 50 + ["embargo"] * 20 + ["train"] * (rows - 70)),
        }
    )
    described = {
        "version": 1,
        "pipeline": "made-up",
        "features": ["flow", "mid"],
        "features_sha256": "abc",
        "steps": steps,
        "row": "trade",
        "break_ms": break_ms,
        "labels": [
            {
                "name": "next",
                "kind": "move",
                "column": "next",
                "value_column": "next_value",
                "end_column": "next_end",
                "classes": ["down", "flat", "up"],
                "horizon_ms": 1_000,
            },
            {"name": "vol", "kind": "volatility", "column": "vol", "value_column": "vol", "end_column": "vol_end",
             "classes": None, "horizon_ms": 1_000},
        ],
        "folds": [{"name": "fold_0"}, {"name": "fold_1"}],
        "inputs": [],
    }
    return table.replace_schema_metadata({"foretick.set": json.dumps(described)})


def loaded(table, *args, like=None, **told):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "set.parquet"
        pq.write_table(table, path, row_group_size=64)
        if like is not None:
            told["like"] = pathlib.Path(folder) / "original.parquet"
            pq.write_table(like, told["like"])
        return foretick.load(path, *args, **told)


def refused(call, *words):
    """Whether a call is refused with these words."""
    try:
        call()
    except ValueError as error:
        assert all(word in str(error) for word in words), (words, error)
    else:
        raise AssertionError(words)


def slow_windows(table, steps, break_ms, quality):
    """The windows by going through the rows one by one: the last rows of each instrument."""
    rows = table.select(["instrument", "quality"]).to_pylist()
    kept, found = {}, []
    for at, row in enumerate(rows):
        own = kept.setdefault(row["instrument"], [])
        time = table["ts_event"][at].value
        if own and break_ms is not None and time - own[-1][1] > break_ms * 1_000_000:
            own.clear()
        if quality is not None and row["quality"] not in quality:
            own.clear()
            continue
        own.append((at, time))
        if len(own) >= steps:
            found.append([at for at, _ in own[-steps:]])
    return found


def check_windows_are_those_of_the_twin():
    for seed in range(5):
        for steps in (1, 3, 4, 9):
            for quality in (("ok",), ("ok", "stale"), None):
                table = described_set(seed, steps=max(4, steps))
                data = loaded(table)
                windows = data.windows(steps, labelled=False, quality=quality, dtype=np.float64)
                twin = np.array(slow_windows(table, steps, 3_000, quality)).reshape(-1, steps)
                assert len(twin) > 10 or steps == 9, (seed, steps, quality)
                assert np.array_equal(windows.index, twin[:, -1]), (seed, steps, quality)
                np.testing.assert_array_equal(windows.X, data.X[twin])


def check_windows_of_a_part_and_of_rows():
    data = loaded(described_set(1))
    everything = data.windows()
    train = data.windows(split="train")
    assert set(train.index) == {at for at in everything.index if at < 150}
    both = data.windows(split=("train", "test"))
    assert set(both.index) == {at for at in everything.index if at < 150 or at >= 160}
    rows = data.windows(rows=np.array([5, 40, 200, 201]))
    assert set(rows.index) == set(everything.index) & {5, 40, 200, 201}
    assert everything.X.dtype == np.float32 and everything.X.shape[1:] == (4, 2)


def check_labels_and_weights_are_those_of_the_last_row():
    table = described_set(2)
    data = loaded(table)
    windows = data.windows()
    words = table["next"].to_pylist()
    assert [data.labels[0].classes[y] for y in windows.y] == [words[at] for at in windows.index]
    assert np.array_equal(windows.weight, table["weight"].to_numpy()[windows.index])
    assert list(windows.instrument) == [table["instrument"][int(at)].as_py() for at in windows.index]
    assert [int(time) for time in windows.ts_event.astype(np.int64)] == [
        table["ts_event"][int(at)].value for at in windows.index
    ]
    values = data.windows(label="vol")
    assert values.y.dtype == np.float64 and np.array_equal(values.y, table["vol"].to_numpy()[values.index])
    moves = data.windows(label="next", value=True)
    assert np.array_equal(moves.y, table["next_value"].to_numpy()[moves.index])


def check_unlabelled_windows_are_left_out_unless_asked_for():
    data = loaded(described_set(3))
    every = data.windows(labelled=False)
    some = data.windows()
    assert len(some) < len(every) and set(some.index) == set(every.index[every.y >= 0])


def check_folds():
    data = loaded(described_set(4))
    first, second = data.folds()
    assert (first.name, second.name) == ("fold_0", "fold_1")
    assert list(first.train) == list(range(50, 150)) and list(first.test) == list(range(170, 300))
    assert list(second.test) == list(range(50)) and list(second.train) == list(range(70, 300))
    windows = data.windows(rows=second.test)
    assert windows.index.max() < 50


def check_values_that_are_not_known():
    table = described_set(5)
    data = loaded(table)
    assert np.isnan(data.X[:, 1]).sum() == table["mid"].null_count > 0
    assert np.isnat(data.times("window_start")).sum() == table["window_start"].null_count == 9
    assert str(data.times().dtype) == "datetime64[ns]"


def check_rows_that_were_removed_are_noticed():
    table = described_set(6, break_ms=None)
    data = loaded(table.take([at for at in range(300) if at != 120]))
    refused(lambda: data.windows(quality=None), "window_start", "rows were removed")
    # Shorter windows are those of other rows, but begin no earlier than the longer ones may.
    assert len(data.windows(2)) > 0
    few = loaded(table.take([at for at in range(300) if at % 5]))
    refused(lambda: few.windows(3, quality=None), "window_start")


def check_errors_name_what_there_is():
    table = described_set(7)
    data = loaded(table)
    refused(lambda: data.y("nothing"), "nothing", "next, vol")
    refused(lambda: data.windows(label="nothing"), "nothing", "next, vol")
    refused(lambda: data.numbers("nothing"), "nothing", "flow")
    refused(lambda: data.numbers("next"), "next", "numbers")
    refused(lambda: data.times("weight"), "weight", "double")
    refused(lambda: data.windows(0), "0 rows")
    refused(lambda: data.windows(quality="fine"), "fine", "ok (")
    refused(lambda: data.fold("fold_7"), "fold_7", "fold_0, fold_1")
    refused(lambda: loaded(table, columns=["flwo"]), "flwo", "flow, mid")
    for call in (data.split, lambda part: data.windows(split=part), lambda part: data.windows(split=("train", part))):
        refused(lambda: call("tst"), "tst", "train (150 rows)", "purge (10 rows)", "test (140 rows)")
    # A part that may be there, and is not.
    refused(lambda: data.windows(split="validation"), "validation", "test (140 rows)")
    assert len(data.split("validation", "test")) == 140
    fold = table.column_names.index("fold_0")
    wrong = loaded(table.set_column(fold, "fold_0", pa.array(["training"] * 300)))
    refused(lambda: list(wrong.folds()), "fold_0", "training", "train")
    bare = json.loads(table.schema.metadata[b"foretick.set"]) | {"labels": []}
    bare = loaded(table.replace_schema_metadata({"foretick.set": json.dumps(bare)}))
    assert set(bare.windows().y) == {-1}
    refused(lambda: bare.windows(label="next"), "the set has none")


def check_longer_windows_than_the_set_was_split_for_are_refused():
    data = loaded(described_set(10))
    refused(lambda: data.windows(5, split="test"), "5 rows", "windows of 4", "split.steps = 5")
    assert data.windows(4).X.shape[1] == 4 and data.windows(2).X.shape[1] == 2


def check_rows_are_numbers_or_a_mask():
    data = loaded(described_set(11))
    mask = np.zeros(300, dtype=bool)
    mask[[40, 200, 201]] = True
    by_mask, by_number = data.windows(rows=mask), data.windows(rows=[40, 200, 201])
    assert list(by_mask.index) == list(by_number.index) and len(by_mask) > 0
    assert len(data.windows(rows=[])) == 0
    for rows in ([300], [-1], [0.5], mask[:-1], ["40"]):
        refused(lambda: data.windows(rows=rows), "0 to 299")


def check_what_windows_need_is_read_and_must_be_there():
    table = described_set(12)
    every, some = loaded(table).windows(), loaded(table, columns=["flow", "next"]).windows()
    assert list(some.index) == list(every.index) and np.array_equal(some.weight, every.weight)
    assert np.array_equal(some.X[:, :, 0], every.X[:, :, 0]) and some.X.shape[2] == 1
    assert len(list(loaded(table, columns="flow").folds())) == 2
    for column in ("instrument", "quality", "ts_event"):
        refused(lambda: loaded(table.drop_columns([column])).windows(), column)
    assert len(loaded(table.drop_columns(["quality"])).windows(quality=None)) > 0


def check_a_null_in_a_column_of_words_is_no_word():
    table = described_set(13)
    for name in ("instrument", "quality", "split", "fold_0", "next"):
        words = table[name].cast(pa.string()).to_pylist()
        words[7] = words[211] = None
        at = table.column_names.index(name)
        table = table.set_column(at, name, pa.array(words, pa.large_string()).dictionary_encode())
    data = loaded(table)
    nulls = [at for at, word in enumerate(table["next"].cast(pa.string()).to_pylist()) if word is None]
    assert list(np.flatnonzero(data.y() == -1)) == nulls and {7, 211} <= set(nulls)
    assert [at for at, name in enumerate(data.instrument) if name is None] == [7, 211]
    assert not {7, 211} & set(data.split(*"train purge test".split()))
    first = data.fold("fold_0")
    assert not {7, 211} & {*first.train, *first.test}
    assert not {7, 211} & set(data.windows(1, labelled=False).index)
    assert 211 not in data.windows(2, quality=None, labelled=False).index
    # Numbers and times may be coded so too.
    coded = table.set_column(table.column_names.index("flow"), "flow", table["flow"].dictionary_encode())
    np.testing.assert_array_equal(loaded(coded).numbers("flow"), table["flow"].to_numpy())


def check_a_set_of_an_older_version():
    table = described_set(8)
    older = {"next": "label", "next_value": "move_bps", "next_end": "label_end"}
    names = [older.get(name, name) for name in table.column_names]
    table = table.rename_columns(names).drop_columns(["window_start", "weight", "fold_0", "fold_1", "vol", "vol_end"])
    times = table.column_names.index("ts_event")
    table = table.set_column(times, "ts_event", table["ts_event"].cast(pa.int64()))
    old = {
        "foretick.features": '["flow", "mid"]',
        "foretick.labels": '["down", "flat", "up"]',
        "foretick.steps": "4",
        "foretick.horizon_ms": "1000",
    }
    data = loaded(table.replace_schema_metadata(old))
    assert (data.features, data.steps, list(data.folds())) == (["flow", "mid"], 4, [])
    windows = data.windows(labelled=False, dtype=np.float64)
    twin = slow_windows(described_set(8), 4, None, ("ok",))
    assert list(windows.index) == [window[-1] for window in twin]
    assert set(windows.weight) == {1.0}


def check_a_set_without_description():
    described = described_set(9)
    table = described.replace_schema_metadata(None)
    refused(lambda: loaded(table), "metadata `foretick.set` is missing", "like=", "features=")
    refused(lambda: foretick.Dataset(table), "metadata `foretick.set` is missing")
    # Like the file of which it was made.
    whole, again = loaded(described), loaded(table, like=described)
    assert (again.features, again.steps, again.labels) == (whole.features, 4, whole.labels)
    for split in ("train", "test"):
        np.testing.assert_array_equal(again.windows(split=split).X, whole.windows(split=split).X)
    refused(lambda: loaded(table.drop_columns(["mid"]), like=described), "lacks the columns mid")
    refused(lambda: loaded(table, like=table), "that `like` names")
    refused(lambda: loaded(table, like=described, steps=4), "`like` says all")
    # As the caller says, who must say all.
    labels = {"next": ["down", "flat", "up"], "vol": None}
    told = {"features": ["flow", "mid"], "labels": labels, "steps": 4}
    data = loaded(table, **told, break_ms=3_000)
    assert np.array_equal(data.windows().index, whole.windows().index)
    assert np.array_equal(data.y("next"), whole.y("next")) and np.array_equal(data.y("vol"), whole.y("vol"))
    assert np.array_equal(data.y("next", value=True), whole.y("next", value=True))
    assert len(list(data.folds())) == 2
    for name in told:
        rest = {other: value for other, value in told.items() if other != name}
        refused(lambda: loaded(table, **rest), f"`{name}=`")
    refused(lambda: loaded(table, **told | {"features": ["flwo"]}), "flwo", "flow, mid")
    refused(lambda: loaded(table, **told | {"labels": {"next": None}}), "say the classes of `next`")
    refused(lambda: loaded(table, **told | {"labels": ["next"]}), "a dict of columns")
    refused(lambda: loaded(table, **told | {"steps": 3}).windows(), "window_start", "`split.steps`")


def check_a_copy_of_pandas():
    table = described_set(14)
    whole = loaded(table)
    with tempfile.TemporaryDirectory() as folder:
        original, copy = pathlib.Path(folder) / "rows.parquet", pathlib.Path(folder) / "copy.parquet"
        pq.write_table(table, original)
        pandas.read_parquet(original).to_parquet(copy)
        refused(lambda: foretick.load(copy), "copy.parquet", "metadata `foretick.set` is missing", "pandas")
        data = foretick.load(copy, like=original)
        np.testing.assert_array_equal(data.windows().X, whole.windows().X)
        assert np.array_equal(data.windows().y, whole.windows().y)
        # As the error says.
        frame = pandas.read_parquet(original)
        kept = pa.Table.from_pandas(frame).replace_schema_metadata(pq.read_schema(original).metadata)
        pq.write_table(kept, copy)
        assert np.array_equal(foretick.load(copy).windows().index, whole.windows().index)


def main():
    checks = [value for name, value in globals().items() if name.startswith("check_")]
    for check in checks:
        check()
    print(len(checks), "checks")


main()
