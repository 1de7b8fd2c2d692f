"""Binary peaks: the paper's Figure 2, on small pictures."""

from app.lessons import Claim, Lesson, Question, Step, above, below
from lpc_core.config import flatten
from lpc_core.presets import named_presets

LESSON = Lesson(
    "Binary peaks", 4, "The paper's Figure 2: every node of z comes to take one of two values.",
    dataset="digits", settings=flatten(named_presets("cpu")["binary"].run),
    steps=(
        Step(
            "Eight nodes, one histogram each",
            "Pictures of handwritten digits, ten classes, and $z$ with eight nodes. Eight dimensions cannot be drawn, "
            "so look at one node at a time: its **histogram** shows how often it takes each value over all samples.",
            "Each small histogram begins as one hill, or as ten overlapping ones, a hill for each class.",
            "Training accuracy above 95 %", (above("train_accuracy", 0.95),), within=1_500, shows=("nodes",)),
        Step(
            "Two peaks",
            "γ grows. In each node the ten hills run together into **two**, one left and one right of 0. Then a class "
            "is known by which side it is on in each node: a code of eight signs, such as $+ - - + + - + -$.",
            "The number under a large histogram: how far its two peaks are apart, counted in their widths.",
            "Even in the worst node, the peaks are more than 5 of their widths apart",
            (above("node_peak_distance_min", 5.0), above("train_accuracy", 0.98)),
            Question("With eight nodes that are + or −, how many classes could have codes of their own?",
                     ("8", "16", "256"), 2,
                     "2⁸ = 256. Ten classes use ten of them; a corner of the cube for each class."),
            within=4_000, shows=("nodes",),
            claims=(Claim("As γ grows, the values of the nodes gather in two opposite peaks: a binary code.", "paper",
                          "Figure 2, arXiv 2310.08224 (there: MNIST, 784-4096-4096-8-10)"),)),
        Step(
            "As if made of bits",
            "In the end each node's values differ in hardly anything but their sign.",
            "Head weights: how unequally the head reads a node. Near 0 all its weights are $\\pm a$.",
            "Peaks more than 8 widths apart in every node, and head weights that vary by less than 6 %",
            (above("node_peak_distance_min", 8.0), below("weight_abs_cv", 0.06), above("train_accuracy", 0.98)),
            within=4_000, shows=("nodes", "curves"),
            claims=(Claim("The loss alone does not make this code: the next lesson but one shows who does.", "ours",
                          "The lesson Why binary?, and python -m benchmarks.recipes --only binary",
                          "learn?lesson=optimizer"),)),
    ))
