"""Too much γ: certainty goes first, then the classes."""

from app.lessons import BY_HAND, Claim, Lesson, Question, Step, above, below

LESSON = Lesson(
    "Too much γ", 7, "Critical γ: first the network stops being sure, then it stops being right.",
    settings={**BY_HAND, "gamma_end": 0.1},
    steps=(
        Step(
            "Sure and right",
            "The paper's theory begins in the *terminal phase*: training accuracy at least 99.9 %, and every sample's "
            "own class almost certain, $p_y \\approx 1$ (Lemma 1). On average $p_y$ is about $e^{-\\text{CE}}$, so "
            "cross-entropy tells how sure the network is: 0.1 means 90 %.",
            "Cross-entropy, which the check watches, falls below 0.1 while γ stands at 0.1.",
            "Accuracy above 98 %, cross-entropy below 0.1 (so p_y above 90 %)",
            (above("train_accuracy", 0.98), below("ce", 0.1)), within=2_400, shows=("curves", "points", "forces"),
            claims=(Claim("In the terminal phase p_y ≈ 1 and all other probabilities ≈ 0.", "paper",
                          "Lemma 1, arXiv 2310.08224"),)),
        Step(
            "Right, but not sure",
            "Drag **γ** to **100**. The shell becomes so small that the head's scores lie close together: being surer "
            "would need longer latents than the penalty allows. The longer the head has trained, the larger its "
            "weights: if the check does not tick, drag on to **1,000** or **10,000**.",
            "Accuracy does not move. Cross-entropy rises: half of the certainty is gone.",
            "γ above 90, cross-entropy above 0.4 (p_y below about 67 %), accuracy still above 98 %",
            (above("gamma", 90.0), above("ce", 0.4), above("train_accuracy", 0.98)),
            Question("γ goes from 0.1 to 100. Which falls: the accuracy, or the certainty p_y?",
                     ("Both", "Only the accuracy", "Only the certainty"), 2,
                     "Only the certainty. The largest score is still the right one, by a small margin."),
            gamma=100.0, ready=(above("train_accuracy", 0.98), below("ce", 0.1)), within=4_000,
            shows=("curves", "points", "forces"),
            claims=(Claim("At the end of the published schedule, p_y is about 0.11 for ten classes, near a blind "
                          "guess, at 100 % training accuracy: Lemma 1's premise does not hold there.", "ours",
                          "ResNet-18 on CIFAR-10, one seed, γ to 1e6 (averaged over nodes): loss 2.245, of which "
                          "penalty 0.06. A long run on a large GPU, not repeated here; python -m benchmarks.gpu trains "
                          "such networks"),)),
        Step(
            "Total collapse",
            "Now drag **γ** to **1,000,000**. For a given head there is a *critical γ* above which even the best place "
            "for a class, its collapse point, is not sure of its own class any more. A head that has time grows its "
            "weights; one that is outrun loses the classes.",
            "The colours mix at the origin. Accuracy falls to about a quarter: a guess among four classes.",
            "Accuracy below 60 %", (above("gamma", 1e4), below("train_accuracy", 0.6)),
            Question("γ = 1,000,000, dragged there within seconds. What is left of the accuracy?",
                     ("Near 100 %, as before", "About 25 %"), 1,
                     "Chance. The head could not grow its weights as fast as γ grew."),
            gamma=1e6, ready=(above("train_accuracy", 0.98), above("step", 600)), within=6_000,
            shows=("curves", "points"),
            claims=(Claim("If γ outruns the head, the margin vanishes and accuracy falls to chance.", "ours",
                          "Measured on five seeds by python -m benchmarks.lessons --only too-much"),
                    Claim("Keeping the head's learning rate constant while the backbone's decays avoids it.", "paper",
                          "The training setup of arXiv 2310.08224: the head's learning rate never decays"))),
    ))
