"""Neural collapse against point collapse: the paper's Figure 5."""

from app.lessons import Claim, Lesson, Question, Step, Value, above, below

LESSON = Lesson(
    "Two kinds of collapse", 8, "Neural collapse happens by itself, slowly; point collapse is asked for.",
    settings={"ramp_steps": 3_000, "steps": 4_000},
    runs=(("γ = 0", {"gamma_schedule": "constant", "gamma_end": 0.0}), ("γ grows to 100", {})),
    steps=(
        Step(
            "What happens by itself",
            "Train a classifier long past the point where every sample is right, and its classes tighten by "
            "themselves: the scatter within classes becomes small *against the distance between them*. That is "
            "**neural collapse** (Papyan, Han and Donoho 2020). Its first measure is\n\n$$\\text{NC1} = "
            "\\tfrac1K\\,\\text{tr}\\big(\\Sigma_W \\Sigma_B^{+}\\big)$$\n\nwith $\\Sigma_W$ the scatter within "
            "classes and $\\Sigma_B$ that between them.",
            "Both runs become accurate. NC1 of the left one soon stops falling.",
            "Both classify 98 % right", (above("train_accuracy", 0.98), above("train_accuracy", 0.98, run=1)),
            within=1_800),
        Step(
            "What is asked for",
            "NC1 is a ratio. The left run's clouds may have a small ratio and still be *large*. Under the penalty the "
            "latents of a class approach one point, in absolute size too: **point collapse**.",
            "The bars at the right of each panel: the radii are hundreds of times apart.",
            "NC1 under the penalty is below a fifth of the other's, its radius below a hundredth",
            (below("nc1_pinv", 0.2, Value("nc1_pinv"), run=1), below("norm_mean", 0.01, Value("norm_mean"), run=1),
             above("train_accuracy", 0.98, run=1)),
            Question("Which of the two runs has the better test accuracy?",
                     ("Without penalty", "With penalty", "They are about equal"), 2,
                     "About equal here. On harder data a penalty that comes too early costs accuracy."),
            within=4_000,
            claims=(Claim("Point collapse is stronger than neural collapse: all samples of a class share one finite "
                          "point, not just one direction or a small ratio.", "paper",
                          "Figure 5 and Theorem A.1, arXiv 2310.08224"),
                    Claim("NC1 ends far below that of the same run without penalty.", "ours",
                          "python -m benchmarks.comparisons --only penalty", "compare?comparison=penalty"))),
    ))
