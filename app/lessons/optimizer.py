"""Why binary: the same loss under AdamW, Muon and SGD."""

from app.lessons import Claim, Lesson, Question, Step, Value, above

LESSON = Lesson(
    "Why binary?", 6, "The same loss under three optimisers: where do the two peaks come from?",
    dataset="digits", settings={"hidden": (32,), "latent_dim": 4, "gamma_end": 10.0, "ramp_steps": 600, "steps": 1_500},
    runs=(("AdamW", {"optimizer": "adamw"}), ("Muon", {"optimizer": "muon"}),
          ("SGD", {"optimizer": "sgd", "lr": 0.05, "head_lr": 0.05})),
    number="weight_abs_cv",
    steps=(
        Step(
            "Three optimisers, one loss",
            "The loss does not say *binary* anywhere. So who makes it? Three runs from one seed, with the same loss "
            "and the same γ, and three ways to take a step: AdamW moves every weight by about the same amount, SGD in "
            "proportion to its gradient, and Muon treats the backbone's matrices in its own way and the head as AdamW "
            "does.",
            "All three learn the digits, at different speeds.",
            "All three classify 97 % of the training samples right",
            (above("train_accuracy", 0.97), above("train_accuracy", 0.97, run=1), above("train_accuracy", 0.97, run=2)),
            within=1_500),
        Step(
            "Who evens out the weights?",
            "Under a strong γ the head's weights $W$ must grow, or the classes are lost. Under AdamW each entry grows "
            "by about the learning rate per step, whatever its gradient: so all $|W_{kj}|$ become alike. The latents "
            "answer with $\\pm a$.",
            "The chart: how much the head's weights vary in size. AdamW's and Muon's fall towards 0, SGD's do not.",
            "The head's weights vary at least three times as much under SGD as under AdamW, and as under Muon",
            (above("weight_abs_cv", 3.0, Value("weight_abs_cv"), run=2),
             above("weight_abs_cv", 3.0, Value("weight_abs_cv", 1), run=2), above("train_accuracy", 0.99, run=2)),
            Question("Which run will not end in a binary code?", ("AdamW", "Muon", "SGD"), 2,
                     "SGD. Its classes still become points, but the nodes take more than two values."),
            within=1_500,
            claims=(Claim("Binary codes look like an effect of Adam-like steps on the head. The loss alone does not "
                          "make them.", "ours",
                          "177 settings under AdamW (best variation 0.03 to 0.06) and 54 under SGD with "
                          "momentum (best 0.59); and this lesson on five seeds, python -m benchmarks.lessons",
                          "compare?comparison=optimizer"),
                    Claim("The paper trains with AdamW throughout and reports the code, without tracing it to the "
                          "optimiser.", "ours", "Our reading of arXiv 2310.08224"))),
    ))
