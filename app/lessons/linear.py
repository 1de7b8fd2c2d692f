"""Why linear: the same penalty behind a ReLU."""

from app.lessons import Claim, Lesson, Question, Step, Value, above, below

LESSON = Lesson(
    "Why linear?", 5, "The penalty needs a layer that can go below zero: linear beside ReLU.",
    settings={"ramp_steps": 3_000, "steps": 4_000},
    runs=(("linear", {"penultimate": "linear"}), ("ReLU", {"penultimate": "nonlinear", "activation": "relu"})),
    number="abs_cv",
    steps=(
        Step(
            "A corner instead of a plane",
            "Two runs from the same seed. Left, the penultimate layer is linear. Right, a ReLU follows it, as after "
            "most layers of most networks: whatever is negative becomes 0.",
            "Left, the classes spread all around the origin. Right, they share one corner: no latent is below 0.",
            "The linear run classifies 98 % right",
            (above("train_accuracy", 0.98),), within=1_200,
            question=Question("Four classes, two nodes, no negative values. Where can the right run put its classes?",
                              ("All around the origin", "In one quarter of the plane"), 1,
                              "In one quarter. One class may sit at 0 itself, others on the axes.")),
        Step(
            "On and off is not plus and minus",
            "Let γ grow. The linear run's nodes become $+a$ or $-a$: equal in size. Behind a ReLU a node can only be "
            "on or off, so the sizes stay as unequal as can be.",
            "The chart shows how unequal the sizes |z| are: near 0 for a binary code $\\pm a$.",
            "Node sizes vary by less than 20 % in the linear run, and at least four times as much behind the ReLU",
            (below("abs_cv", 0.2), above("abs_cv", 4.0, Value("abs_cv"), run=1), above("gamma", 1.0)),
            within=4_000,
            claims=(Claim("The penultimate layer must be linear: behind a ReLU-like activation the negative half-axis "
                          "is missing, and a strong γ collapses everything to 0.", "paper",
                          "arXiv 2310.08224, on the choice of a linear penultimate layer"),
                    Claim("On this small task the ReLU run often keeps its accuracy and collapses no less. On some "
                          "seeds it loses a class, on a few all of them.", "ours",
                          "python -m benchmarks.comparisons --only penultimate", "compare?comparison=penultimate"))),
    ))
