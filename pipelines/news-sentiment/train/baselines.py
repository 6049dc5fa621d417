"""What the network is held against, beside what teach.py trains: no model, words and pieces counted."""

import json

import numpy as np
import scipy.sparse
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

import score
from prepare import LABELS, PIPELINE, cleaned, vocabulary

STRENGTHS = [2.0, 5.0, 10.0, 20.0, 50.0]
BAG_STRENGTHS = [0.1, 0.2, 0.5, 1.0, 2.0]
# Frames every row, or says nothing.
FRAME = ["[PAD]", "[CLS]", "[SEP]"]


def majority(outcome, count):
    """The shares of the labels, for every headline."""
    return np.tile(np.bincount(outcome, minlength=score.LABELS) / len(outcome), (count, 1))


def counted(headlines, outcome, held, asked):
    """TF-IDF of words and of characters, then logistic regression; the strength is chosen on what is held out."""
    texts = np.array([cleaned(headline) for headline in headlines], dtype=object)
    model = chosen("TF-IDF and logistic regression", counter, STRENGTHS, texts, outcome, held)
    return model.predict_proba([cleaned(headline) for headline in asked])


def bag(ids, outcome, held, asked, contract):
    """Logistic regression on how often each piece stands in a row: linear.json, as the engine computes it."""
    words = vocabulary()
    logistic = lambda strength: LogisticRegression(C=strength, max_iter=3000)
    model = chosen("pieces and logistic regression", logistic, BAG_STRENGTHS, counts(ids, words), outcome, held)
    weights, bias = np.round(model.coef_, 4), np.round(model.intercept_, 4)
    file = {
        "name": "news-sentiment-linear",
        "version": "1",
        "features": contract["features"],
        "features_sha256": contract["features_sha256"],
        "labels": LABELS,
        "pieces": {str(piece): list(each) for piece, each in enumerate(weights.T) if each.any()},
        "bias": list(bias),
    }
    (PIPELINE / "linear.json").write_text(json.dumps(file, separators=(",", ":")) + "\n", encoding="utf-8")
    return score.softmax(counts(asked, words) @ weights.T + bias)


def counts(ids, words):
    """How often each piece stands in each row, as a sparse matrix [N, pieces]."""
    rows = np.repeat(np.arange(len(ids)), ids.shape[1])
    each = scipy.sparse.csr_matrix((np.ones(ids.size), (rows, ids.ravel())), shape=(len(ids), len(words)))
    weighed = np.ones(len(words))
    weighed[[words.index(piece) for piece in FRAME]] = 0.0
    return (each @ scipy.sparse.diags(weighed)).tocsr()


def chosen(name, make, strengths, texts, outcome, held):
    """Fits with the strength that the held-out headlines like best, then on all."""
    fitted = []
    for strength in strengths:
        model = make(strength).fit(texts[~held], outcome[~held])
        fitted.append((score.log_loss(model.predict_proba(texts[held]), outcome[held]), strength))
    loss, strength = min(fitted)
    print(f"{name}: C {strength}, held-out log loss {loss:.4f}", flush=True)
    return make(strength).fit(texts, outcome)


def counter(strength):
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True)
    return make_pipeline(make_union(words, characters), LogisticRegression(C=strength, max_iter=3000))
