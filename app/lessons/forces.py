"""Push and pull: the two forces on a latent, and where they cancel."""

from app.lessons import BY_HAND, Claim, Lesson, Question, Step, Value, above, below

LESSON = Lesson(
    "Push and pull", 2, "Cross-entropy pushes outward, γ pulls inward; a class rests where they cancel.",
    settings={**BY_HAND, "gamma_end": 0.01},
    steps=(
        Step(
            "Two arrows on every class",
            "How does the loss change when a latent $z$ of class $y$ moves a little? Its gradient is\n\n"
            "$$\\frac{\\partial L}{\\partial z} = -W_y + \\sum_i p_i W_i + 2\\gamma z$$\n\nThe first two terms are "
            "cross-entropy's: towards the own class's weights, away from the others as long as $p_i$, the probability "
            "they get, is above 0. The last is the penalty's: straight to the origin, stronger the farther out $z$ is. "
            "Training goes *against* the gradient, so the blue arrow (cross-entropy) points out, the red one (γ) in.",
            "Early on blue is longer than red and the classes move out. Then the arrows cancel and the classes rest.",
            "Accuracy above 98 %, and the radius within 10 % of the one at which the two forces balance",
            (above("train_accuracy", 0.98), below("radius_error", 0.1)), within=3_000,
            shows=("curves", "forces", "shell"),
            claims=(Claim("Radial flow: cross-entropy pushes outward, the penalty inward, and the radius settles where "
                          "they balance.", "paper", "Lemma 2, arXiv 2310.08224"),
                    Claim("The measured radius comes within 10 % of the balance.", "ours",
                          "Measured on five seeds by python -m benchmarks.lessons --only forces"))),
        Step(
            "Pull harder",
            "Pull a hundred times harder: drag **γ** from 0.01 to **1**. The red arrow grows at once; the classes fall "
            "inward until the blue one is as long again.",
            "While γ glides, red is longer. A moment later both are equal, on a smaller shell.",
            "γ at 1, the radius less than half of what it was, and again within 10 % of the balance",
            (above("gamma", 0.9), below("norm_mean", 0.3, Value("norm_mean", when="largest")),
             below("radius_error", 0.1)),
            Question("γ becomes a hundred times larger. The radius becomes…",
                     ("a hundred times smaller", "a few times smaller", "zero"), 1,
                     "A few times smaller: the closer the classes come, the less sure the network is, and the harder "
                     "cross-entropy pushes back."),
            gamma=1.0, ready=(above("train_accuracy", 0.98), above("step", 300)), within=4_000,
            shows=("curves", "forces", "shell")),
        Step(
            "Let go",
            "Take the penalty away: press **γ = 0**. Only the push is left.",
            "No red arrow. The shell grows, faster at first, then slower: when every sample is right with certainty, "
            "there is hardly any push left.",
            "γ at 0, and the radius more than three times its smallest",
            (below("gamma", 1e-9), above("norm_mean", 3.0, Value("norm_mean", when="smallest")), above("step", 600)),
            Question("Nothing pulls any more. Will the classes come to rest somewhere?",
                     ("Yes, at a larger radius", "No, they keep moving outward, ever more slowly"), 1,
                     "There is no balance without a pull: cross-entropy only reaches 0 at infinity. It gets slow, "
                     "because the push fades as the network gets sure."),
            gamma=0.0, ready=(above("step", 300),), within=6_000, shows=("curves", "forces", "shell"),
            claims=(Claim("Without γ the radius has grown more than threefold soon after.", "ours",
                          "Measured on five seeds by python -m benchmarks.lessons --only forces"),)),
    ))
