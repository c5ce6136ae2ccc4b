"""Word vectors of tweets for MGCMT's augmentation: skip-gram, 200 dimensions, the 20,000 commonest words, lower-cased.

    PYTHONHASHSEED=0 python3 word2vec.py TWEETS.txt[.gz] OUT.bin

TWEETS has one tweet a line. Needs gensim (4.4). One thread and the hash seed make it the same every time.
"""

import gzip
import re
import sys

from gensim.models import Word2Vec

# A mention, a hashtag, a run of letters and digits with what may join them, or any other sign.
WORD = re.compile(r"[@#]?\w+(?:[-.,:/]\w+)*|['’]\w+|[^\w\s]")


class Tweets:
    def __init__(self, path):
        self.path = path

    def __iter__(self):
        open_text = gzip.open if self.path.endswith(".gz") else open
        with open_text(self.path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield WORD.findall(line.lower())


def main():
    _, tweets, out = sys.argv
    model = Word2Vec(
        Tweets(tweets), vector_size=200, sg=1, window=5, negative=5, epochs=5, max_final_vocab=20000, workers=1, seed=1
    )
    model.wv.save_word2vec_format(out, binary=True)
    print(f"{len(model.wv)} words; nearest to houston: {model.wv.most_similar('houston')[:4]}")


if __name__ == "__main__":
    main()
