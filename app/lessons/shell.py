"""The shrinking shell: the paper's Figure 1."""

from app.lessons import Claim, Lesson, Question, Step, Value, above, below

LESSON = Lesson(
    "The shrinking shell", 3, "The paper's Figure 1: γ grows during training, four clouds become four points.",
    settings={"ramp_steps": 3_000, "steps": 6_000},
    steps=(
        Step(
            "γ starts small",
            "This is the experiment of the paper's Figure 1: four classes around corners of a 20-dimensional cube, $z$ "
            "with two nodes. γ begins at 0.001 and grows a little at every step. A strong γ at the very start would "
            "hold all latents at the origin before they have come apart; so the network first learns to classify.",
            "Four clouds, well apart, at γ below 0.1. The circle is the mean length $R$ of the latents, the *shell*.",
            "Accuracy above 98 % while γ is below 0.1", (above("train_accuracy", 0.98), below("gamma", 0.1)),
            within=1_500, shows=("shell", "curves")),
        Step(
            "The shell shrinks",
            "Now let γ grow. The classes stay apart *as seen from the origin*, in direction, and all of them come "
            "closer to it together: they lie on one shell whose radius $R(\\gamma)$ shrinks.",
            "Faint rings mark where the shell was at earlier powers of ten of γ. The ruler says how much smaller it "
            "is.",
            "The radius is less than a twentieth of its largest, accuracy above 98 %",
            (below("norm_mean", 0.05, Value("norm_mean", when="largest")), above("train_accuracy", 0.98)),
            Question("γ grows 100,000-fold. What happens to the share of samples that are classified right?",
                     ("It falls steadily", "It stays near 100 %"), 1,
                     "It stays. Accuracy asks only on which side of a border a point lies, not how far from it."),
            within=6_000, shows=("shell", "curves"),
            claims=(Claim("The latents of all classes lie on a shell of one radius, which shrinks as γ grows.", "paper",
                          "Figure 1 and Lemma 2, arXiv 2310.08224"),)),
        Step(
            "Clouds become points",
            "Why does a smaller shell make *tighter* classes, and not just smaller ones? A latent that is off in angle "
            "has to be longer to be classified as surely; under the penalty, length costs. So each class gathers where "
            "length is used best.",
            "The spread within a class as a share of the radius falls too. Zoom is automatic: if the picture were only "
            "scaled down, it would look the same.",
            "Each class spread over less than 10 % of the radius, the radius below a twentieth of its largest",
            (below("within_class_spread", 0.1), below("norm_mean", 0.05, Value("norm_mean", when="largest"))),
            Question("Is a class at γ = 100 only a smaller copy of the class at γ = 0.01?",
                     ("Yes, everything shrinks alike", "No, a class shrinks more than the shell"), 1,
                     "It shrinks more: relative to the radius the classes get tighter. How much more depends on data, "
                     "network and learning rates, and is not the same at every γ."),
            within=6_000, shows=("shell", "curves", "nodes"),
            claims=(Claim("Angular deviations cost radius, so confining the radius confines the volume of a class.",
                          "paper", "Lemma 3, arXiv 2310.08224"),
                    Claim("A stronger γ does not always mean a tighter class. What γ sets reliably is the radius.",
                          "ours", "Films of 16 values of γ: the Film page shows the spread against γ", "film"))),
    ))
