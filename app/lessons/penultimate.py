"""The penultimate layer: what z is, and what it looks like without a penalty."""

from app.lessons import BY_HAND, Claim, Lesson, Question, Step, Value, above, below

LESSON = Lesson(
    "The penultimate layer", 1, "What a latent is, and why clouds stay clouds when nothing holds them.",
    settings={**BY_HAND, "gamma_end": 0.0},
    steps=(
        Step(
            "Every sample becomes two numbers",
            "A classifier is a chain of layers. The last one but one, the *penultimate* layer, gives each sample $x$ a "
            "short list of numbers, its **latent** $z = W_H\\,h(x) + b_H$. The last layer, the **head**, reads nothing "
            "but $z$: class $k$ gets the score $W_k \\cdot z + b_k$.\n\nHere $x$ has 20 numbers, the network has four "
            "classes, and $z$ has only two **nodes**, $z_1$ and $z_2$. So we can draw every latent as a point in the "
            "plane. Colour and shape say which class a sample belongs to.",
            "At step 0 the colours lie on top of each other: the weights are random. Then four clouds come apart.",
            "Training accuracy above 98 %", (above("train_accuracy", 0.98),), within=1_200, shows=("nodes",)),
        Step(
            "Right is not the same as tight",
            "Nearly all samples are now told apart, so cross-entropy is nearly 0. It can still get smaller: the surest "
            "way is to make all scores larger, and so the clouds drift outward. Nothing asks the samples of one class "
            "to share a place.",
            "The numbers on the axes grow. A cloud stays a cloud.",
            "Accuracy above 98 %, radius above 10, and each class still spread over more than 15 % of the radius",
            (above("train_accuracy", 0.98), above("norm_mean", 10.0), above("within_class_spread", 0.15)),
            Question("The accuracy is at its top. If training goes on without a penalty, what will the clouds do?",
                     ("Shrink to points", "Stay as they are", "Move outward and stay clouds"), 2,
                     "They move outward: larger scores make cross-entropy smaller for ever, and a cloud that is on its "
                     "own side of every border has no reason to get tighter."),
            within=2_400, shows=("nodes", "curves"),
            claims=(Claim("Without a penalty the classes stay spread over more than 15 % of the radius in this run.",
                          "ours", "Measured on five seeds by python -m benchmarks.lessons --only penultimate"),)),
        Step(
            "Now pay for length",
            "Add one term to the loss: $L = \\text{CE} + \\gamma\\,\\lVert z\\rVert^2$. It makes long latents "
            "expensive. Drag **γ** from 0 to **1** and let go.",
            "The axes zoom in by themselves: watch their numbers and the ruler at the right, not the size of the "
            "picture.",
            "γ above 0.5, radius below a tenth of its largest, accuracy above 98 %",
            (above("gamma", 0.5), below("norm_mean", 0.1, Value("norm_mean", when="largest")),
             above("train_accuracy", 0.98)),
            Question("What will γ = 1 do to the accuracy?", ("It falls to chance", "It stays near 100 %"), 1,
                     "It stays: the head's weights grow to match, so scores stay apart although the latents are "
                     "short."),
            gamma=1.0, ready=(above("train_accuracy", 0.98), above("norm_mean", 10.0)), within=4_000,
            shows=("nodes", "curves", "shell"),
            claims=(Claim("The penalty acts on the latents of a linear penultimate layer, and on nothing else.",
                          "paper",
                          "The loss CE + γ‖z‖², arXiv 2310.08224, section on latent point collapse"),)),
    ))
