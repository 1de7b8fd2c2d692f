"""The theory drawn over the data: collapse points from the head alone."""

from app.lessons import BY_HAND, Claim, Lesson, Question, Step, Value, above, below

LESSON = Lesson(
    "Theory over data", 10, "Where a class must fall can be worked out from the head alone, without the data.",
    settings={**BY_HAND, "gamma_end": 0.05},
    steps=(
        Step(
            "One point per class",
            "Hold the head $(W, b)$ still and ask: which $z$ is best for class $y$? The loss\n\n"
            "$$\\text{CE}(W z + b,\\ y) + \\gamma\\,\\lVert z\\rVert^2$$\n\nis strictly convex in $z$, so there is "
            "exactly **one** answer, $z^*_y$: the class's *collapse point*. Newton's method finds it in a few steps, "
            "and no sample is looked at. The crosses ✚ are these points, for the head and the γ of this very moment.",
            "At first the crosses lie where nobody is. Then the classes come to them.",
            "Accuracy above 98 %, and the class centres within 10 % of their crosses",
            (above("train_accuracy", 0.98), below("point_error", 0.1)), within=3_000,
            shows=("points", "shell", "curves"),
            claims=(Claim("For a fixed head each class has exactly one collapse point, and trained class centres lie "
                          "near it.",
                          "ours", "Measured on five seeds by python -m benchmarks.lessons --only theory; the paper's "
                          "Lemmas 1 to 3 describe the balance, we compute it"),)),
        Step(
            "It follows γ",
            "Drag **γ** to **10**. The crosses jump to their new places as fast as γ moves, and the samples follow.",
            "The dashed circle is the predicted radius, the solid one the measured.",
            "γ above 9, the measured radius within 5 % of the predicted one, and less than a quarter of its largest",
            (above("gamma", 9.0), below("radius_error", 0.05),
             below("norm_mean", 0.25, Value("norm_mean", when="largest"))),
            Question("Does the prediction use the positions of the samples?", ("Yes", "No"), 1,
                     "No: only W, b and γ. That is why it can be wrong, and why it means something when it is right."),
            gamma=10.0, ready=(above("train_accuracy", 0.98), above("step", 300)), within=4_000,
            shows=("points", "shell", "curves"),
            claims=(Claim("The mean length of the latents comes within a few percent of the predicted one.", "ours",
                          "Measured on five seeds by python -m benchmarks.lessons --only theory"),)),
        Step(
            "Where it stops",
            "A theory is worth its limits. Drag **γ** to **1,000,000**: the predicted shell becomes smaller than one "
            "training step can aim.",
            "The dashed circle is far inside the solid one, or gone: the radius error leaves the few percent.",
            "γ above 10,000, and the measured radius more than twice the predicted one (or nothing left to predict)",
            (above("gamma", 1e4), above("radius_error", 1.0)),
            Question("Which radius will be larger at such a γ?", ("The predicted one", "The measured one"), 1,
                     "The measured one: each training step moves the latents by more than the predicted radius."),
            gamma=1e6, ready=(above("train_accuracy", 0.98), above("step", 300)), within=4_000,
            shows=("points", "shell", "curves"),
            claims=(Claim("Where the predicted radius is smaller than one training step can aim, the prediction is "
                          "off.",
                          "ours", "Measured on five seeds by python -m benchmarks.lessons --only theory"),)),
    ))
