"""The terms that a newcomer meets, each in two sentences: pages and lessons show them, and every ⓘ can name them."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection

from app.words import OWN, _, language, speaking

_NO_WORDS = r"\$\$.*?\$\$|\$[^$]+\$|`[^`]*`|\[[^\]]*\]\([^)]*\)|https?://\S+"  # formulas, code, links
GLOSSARY = {
    "latent": "What the penultimate layer makes of one sample: a short list of numbers, z. A network that classifies "
              "reads nothing else of the sample.",
    "node": "One number of the latent. With two nodes, a latent is a point in the plane.",
    "penultimate layer": "The last layer but one. Here it is linear, so that its values can be positive or negative.",
    "head": "The last layer: it reads the latent and gives each class a score, W z + b.",
    "γ": "Gamma, the weight of the penalty: the loss is cross-entropy + γ‖z‖². A larger γ pulls every latent harder "
         "to the origin.",
    "shell": "The circle or sphere on which the latents lie: its radius R is their mean length. It shrinks as γ grows.",
    "collapse point": "For a given head and γ, the one best place for the latents of a class, drawn as a cross. It is "
                      "computed without looking at the samples.",
    "point collapse": "All samples of a class have (nearly) one and the same latent: a point, not only a direction.",
    "neural collapse": "What happens by itself late in training: the scatter within classes becomes small against the "
                       "distance between them. Here NC1 to NC4 measure it.",
    "total collapse": "γ has outrun the head: the classes fall together at the origin, and accuracy falls to chance.",
    "critical γ": "For a given head, the γ above which even the collapse points are not sure of their own class.",
    "terminal phase": "Training past the point where (nearly) all training samples are right: accuracy of 99.9 % and "
                      "more.",
    "cross-entropy": "The loss of a classifier: how little probability it gives to the right class. 0 is certainty, "
                     "log K a blind guess among K classes.",
    "separation ratio": "The distance of a sample to the nearest other class's centre over that to its own, averaged. "
                        "Large when classes are tight and far apart.",
    "robustness": "How large a change of the input must be to change the answer, found by an attack. An attack only "
                  "gives an upper bound.",
    "binary code": "Every node takes one of two opposite values, so that a class is a row of signs.",
}


def listed(met: Collection[str] = GLOSSARY.keys()) -> str:
    """The terms ``met`` (all of them without), each with its meaning, as a list in Markdown."""
    return "\n".join(f"* **{_(term)}**: {_(meaning)}" for term, meaning in GLOSSARY.items() if term in met)


def met_in(text: str) -> set[str]:
    """The terms that occur in ``text``, which is in the reader's language."""
    return {term for found in _words(language()).finditer(text) if (term := _term_of(found))}


def linked(text: str, known: Collection[str] = ()) -> str:
    """``text``, Markdown in the reader's language, with each term that is not ``known`` linked where it is first met.

    The link's title is what the term means; ``kit/page.js`` shows it to pointers, keys and fingers.
    """
    met = set(known)

    def link(found: re.Match[str]) -> str:
        term = _term_of(found)
        if not term or term in met:
            return found[0]
        met.add(term)
        meaning = _(GLOSSARY[term]).replace('"', "'")
        return f'[{found[0]}](#term-{list(GLOSSARY).index(term)} "{meaning}")'

    return _words(language()).sub(link, text)


@functools.cache
def _words(spoken: str) -> re.Pattern[str]:
    """What is no words, as no group; then every term as a group, the longest first."""
    with speaking(spoken):
        terms = sorted(enumerate(map(_, GLOSSARY)), key=lambda item: -len(item[1]))
        groups = (rf"(?P<t{i}>(?<!\w){_inflected(term)}(?!\w))" for i, term in terms)
        return re.compile("|".join((_NO_WORDS, *groups)), re.IGNORECASE | re.DOTALL)


def _inflected(term: str) -> str:
    """A pattern for ``term`` with any endings: latents, latenten Punkten, Schalen."""
    stems = term.split() if language() == OWN else [re.sub("e[nrs]?$", "", word) for word in term.split()]
    return r"\s+".join(re.escape(stem) + (r"\w{0,2}" if len(stem) > 1 else "") for stem in stems)


def _term_of(found: re.Match[str]) -> str:
    """The term that was found; "" for what is no words."""
    return list(GLOSSARY)[int(found.lastgroup[1:])] if found.lastgroup else ""
