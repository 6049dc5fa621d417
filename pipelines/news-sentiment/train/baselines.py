"""What the network is held against, beside what teach.py trains: no model, and words counted."""

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

import score
from prepare import cleaned

STRENGTHS = [2.0, 5.0, 10.0, 20.0, 50.0]


def majority(outcome, count):
    """The shares of the labels, for every headline."""
    return np.tile(np.bincount(outcome, minlength=score.LABELS) / len(outcome), (count, 1))


def counted(headlines, outcome, held, asked):
    """TF-IDF of words and of characters, then logistic regression; the strength is chosen on what is held out."""
    texts = np.array([cleaned(headline) for headline in headlines], dtype=object)
    fitted = []
    for strength in STRENGTHS:
        model = counter(strength).fit(texts[~held], outcome[~held])
        fitted.append((score.log_loss(model.predict_proba(texts[held]), outcome[held]), strength))
    loss, strength = min(fitted)
    print(f"TF-IDF and logistic regression: C {strength}, held-out log loss {loss:.4f}", flush=True)
    model = counter(strength).fit(texts, outcome)
    return model.predict_proba([cleaned(headline) for headline in asked])


def counter(strength):
    words = TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True)
    return make_pipeline(make_union(words, characters), LogisticRegression(C=strength, max_iter=3000))
