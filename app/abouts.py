"""What am I looking at? A chart in a learner's words: what it shows, what to look for, its terms, the lesson about it.

Every ⓘ of a page shows one of these (`static/kit/explain.js`), and what depends on the run beside it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.glossary import GLOSSARY
from app.lessons import lessons


@dataclass(frozen=True)
class About:
    """``terms`` are of the glossary, ``lesson`` is a lesson's name; both may be missing."""

    title: str = ""
    text: str = ""  # what it is: its axes and marks
    look: str = ""  # what to look for
    terms: tuple[str, ...] = ()
    lesson: str = ""


STAGE = {
    "gamma": About(
        "γ, the penalty's weight",
        "The loss is cross-entropy + γ‖z‖². A larger γ pulls every latent z harder towards the origin.",
        "Drag it and watch the shell.", ("γ", "cross-entropy"), "forces"),
    "latents": About(
        "Latent view",
        "Each mark is one sample as the penultimate layer sees it; colour and shape give its class, and a hollow "
        "mark is classified wrongly. The axes are two nodes, or two directions through more (PCA). Drag to pan, "
        "double-click to follow again; after a click the wheel zooms. On a touch screen two fingers move and zoom, "
        "one scrolls the page. While paused you can select with the lasso.",
        "Do the marks of a class come together, and are they on the circle?", ("latent", "penultimate layer"),
        "penultimate"),
    "inputs": About(
        "Inputs",
        "The same samples before the network. Two numbers are a point in the plane, whose colours say which class the "
        "network would give each place; longer lists of numbers are seen through their two directions of largest "
        "spread; pictures are shown as they are. Drag a box to choose some.",
        "Point at a sample: it is marked here, in the latents and in the histograms. Which inputs are far apart, and "
        "become one point?", ("latent",), "penultimate"),
    "shell": About(
        "The shell",
        "The solid circle has radius R, the mean length of the latents; the dashed one is the radius theory predicts "
        "for the present classifier and γ. Faint rings show where the shell was at earlier powers of ten of γ. The "
        "strip at the right shows R beside its largest value on a log scale, whatever the zoom. A plane through more "
        "nodes than two has no circle: points at the radius R lie anywhere inside it, so none is drawn.",
        "Does the solid circle keep to the dashed one while γ moves?", ("shell",), "shell"),
    "points": About(
        "Predicted collapse points",
        "For a given classifier the loss of each class has exactly one minimum in z: its collapse point, marked with a "
        "cross. It is computed from the classifier's weights and γ alone, without looking at the samples.",
        "Does each class fall onto its own cross?", ("collapse point",), "theory"),
    "forces": About(
        "Forces",
        "Blue: cross-entropy pushes a class outward. Red: the penalty γ pulls it inward. Green: the part of their sum "
        "along the shell, which turns the class into place. All arrows share one scale, set by the longest.",
        "Where blue and red cancel, the class is at rest.", ("cross-entropy",), "forces"),
    "nodes": About(
        "Nodes",
        "How often each node of z takes each value, coloured by class. “Peaks 12 σ apart” is the distance of the two "
        "peaks in units of their width; a single bell curve reads 2.6. A press on a bar marks its samples "
        "everywhere. In our runs binary codes appear under Adam-type optimisers and not under plain SGD.",
        "As γ grows, do the values gather in two opposite peaks?", ("node", "binary code"), "binary"),
    "curves": About(
        "Curves",
        "What was measured along the run, against training steps or against γ. Each of the four charts has a menu of "
        "all quantities; the i beside it says what that one is. Dashed lines are predictions.",
        "Which quantity changes when the classes become points?", ("neural collapse", "separation ratio"), "collapse"),
    "collapse": About(
        "Collapse",
        "This sentence says what is happening now. The classes have collapsed when all samples of a class have "
        "nearly one and the same latent.", "It changes from clouds to points, and with too much γ to total collapse.",
        ("point collapse", "total collapse"), "collapse"),
    "compare": About(
        "Runs side by side",
        "The same samples and the same seed in each panel; only what the headings name is different. With "
        "shared axes a smaller picture is a smaller shell; with own axes each is zoomed to its points.",
        "Which panel's classes are tightest for their radius?", ("shell", "point collapse"), "optimizer"),
    "compare-chart": About(
        "One quantity of all runs",
        "A line for each run, in the mark beside its heading, against training steps or γ. The menu has all "
        "quantities.",
        "Where do the lines part?", (), "optimizer"),
}
FILM = {
    "film-gamma": About(
        "γ of the run",
        "One run per stop, all from the same seed, data and batches: they differ in γ alone. A run ramps up from the "
        "same small γ to its own and then holds it, so early on neighbours look alike. Left and right arrows move "
        "it; so does a press on a curve.", "", ("γ",), "too-much"),
    "film-time": About(
        "Time",
        "Training steps; early moments lie closer together, because more happens there. Space plays, Shift with left "
        "or right (or comma and full stop) moves by one moment."),
    "film-marks": About(
        "Where collapse sets in, and where it is total",
        "Green: the smallest γ whose classes have collapsed, at the chosen moment. Red: from here on every γ is "
        "totally collapsed.", "", ("point collapse", "total collapse"), "too-much"),
}
CLOUD = {
    "cloud": About(
        "The latents",
        "Each mark is one sample as the watched layer sees it; colour and shape give its class, and a hollow mark is "
        "predicted wrongly. Drag to move (or turn), double-click to see everything; after a click the wheel and + − "
        "arrows work too. Lasso or box chooses samples: Shift adds, Alt takes away, Escape clears.",
        "Is each class one point, a cloud, or several clouds?", ("latent", "point collapse"), "penultimate"),
    "cloud-axes": About(
        "Axes",
        "Nodes are the layer's own coordinates. PCA turns them so that the largest spread shows. t-SNE and UMAP keep "
        "neighbours together, but distances between clusters and their sizes mean little there, so collapse cannot be "
        "judged from them and no predicted points are drawn.", "", ("node",)),
    "cloud-gamma": About(
        "Where would this head's classes fall?",
        "For a given classifier (W, b) and γ, the loss of each class, cross-entropy + γ‖z‖², has exactly one minimum "
        "in z: its predicted collapse point, drawn as a cross. It is computed from the head alone. γ multiplies ‖z‖² "
        "summed over the nodes; the authors' code averages over nodes, which is d times weaker at the same number. "
        "Green marks the γ whose points lie nearest to the class means; red the γ from which some class's own point "
        "is no longer classified as that class for sure.", "", ("head", "collapse point", "critical γ"), "theory"),
}
CARDS = {  # by a card's key: what its ⓘ says besides the card's own words
    "nc1": About(look="Lines that fall: the classes shrink to points.", terms=("neural collapse",), lesson="collapse"),
    "nc2": About(look="Lines that fall: the class centres come to lie evenly.", terms=("neural collapse",),
                 lesson="collapse"),
    "nc3": About(look="Lines that fall: the head's rows point where the class centres are.", terms=("head",),
                 lesson="collapse"),
    "nc4": About(look="A line that falls to 0: the nearest class centre decides as the network does.",
                 terms=("neural collapse",), lesson="collapse"),
    "shell": About(look="The measured radius beside the predicted one, while γ grows.", terms=("shell",),
                   lesson="shell"),
    "peaks": About(look="Peaks that move apart in units of their width.", terms=("node", "binary code"),
                   lesson="binary"),
    "separation": About(look="Does a larger separation go with a larger robustness, and under which attack?",
                        terms=("separation ratio", "robustness"), lesson="robustness"),
    "foretold": About(look="Where the predicted radius meets the measured one.", terms=("collapse point", "critical γ"),
                      lesson="theory"),
    "histograms": About(look="One peak or two, and whether the two are opposite.", terms=("node", "binary code"),
                        lesson="binary"),
    "code": About(look="Rows of signs that differ.", terms=("binary code",), lesson="binary"),
    "hamming": About(look="Which two classes differ in the fewest nodes?", terms=("binary code",),
                     lesson="binary"),
    "head": About(look="Rows that spread evenly.", terms=("head",), lesson="collapse"),
}
TOUR = (  # the part of the page, and what is said there, once
    ("lpc-latents", "Every mark is a sample as the network's last layer but one sees it: its latent. It is training "
                    "now."),
    ("lpc-gamma", "γ is the price of a long latent. Drag it to the right and watch the marks."),
    ("lpc-layer-points", "The classes fall onto a shrinking circle, the shell, and there onto the crosses, "
                         "computed without them."),
    ("lpc-nodes", "One histogram for each number of the latent. Watch for two peaks as γ grows: a binary code."),
    ("lpc-curves", "What was measured so far. The menus have more quantities, the i says what each is."),
    ("lpc-inputs-toggle", "Inputs shows the samples before the network. Point at one: it is marked everywhere."),
)


def texts() -> Iterator[str]:
    """All that is said here, for the catalogues of other languages."""
    for about in (*(STAGE | FILM | CLOUD).values(), *CARDS.values()):
        yield from (about.title, about.text, about.look, lessons()[about.lesson].title if about.lesson else "")
    yield from (text for _id, text in TOUR)


def abouts(some: Mapping[str, About], *, served: bool = True) -> dict[str, dict[str, Any]]:
    """``some`` as a page gets them, by key; one that is not ``served`` has no lessons to link to."""
    titles = {name: lesson.title for name, lesson in lessons().items()} if served else {}
    return {key: {"title": about.title, "text": about.text, "look": about.look,
                  "terms": [[term, GLOSSARY[term]] for term in about.terms],
                  "lesson": {"name": about.lesson, "title": titles[about.lesson]} if about.lesson in titles else None}
            for key, about in some.items()}
