"""Robustness and its traps: the paper's Figure 3, and what stronger attacks say."""

from app.lessons import Claim, Lesson, Question, Step, Value, above

LESSON = Lesson(
    "Robustness and its traps", 9, "Farther apart means harder to fool? It depends on who is asked.",
    dataset="digits",
    settings={"ramp_steps": 1_200, "steps": 3_000},
    runs=(("γ = 0", {"gamma_schedule": "constant", "gamma_end": 0.0}), ("γ grows to 100", {})),
    number="separation_ratio",
    steps=(
        Step(
            "Far apart",
            "Measure how well classes are separated: for each sample, the distance to the nearest *other* class centre "
            "divided by that to its own. The mean of that is the **separation ratio** $\\mathcal{R}$. It is large when "
            "classes are points.",
            "The chart: under the penalty 𝓡 comes to be more than four times the other's.",
            "𝓡 under the penalty is more than four times the other's, at γ above 1",
            (above("separation_ratio", 4.0, Value("separation_ratio"), run=1), above("train_accuracy", 0.98, run=1),
             above("gamma", 1.0, run=1)),
            within=3_000,
            claims=(Claim("Over all their runs 𝓡 goes along with robustness: Pearson r = 0.97 on CIFAR-10, 0.985 on "
                          "CIFAR-100.", "paper", "Figure 3, arXiv 2310.08224; robustness by DeepFool"),)),
        Step(
            "Who is asked?",
            "*Robust* means: much noise is needed to change the answer. An **attack** searches for the smallest change "
            "of the input that does. If it searches badly, the network looks robust. **DeepFool** follows the slope of "
            "the scores; in a collapsed network these are nearly flat, and DeepFool is led astray. **DDN** does not "
            "trust the slope's length.\n\n"
            "ResNet-18 on CIFAR-10, all 50,000 pictures, one seed each; smallest change found, relative to the "
            "picture:\n\n"
            "| | test | DeepFool | DDN |\n|---|---|---|---|\n"
            "| γ → 10⁶ | 91.1 % | **0.489** | **0.0162** |\n| γ = 0 | 90.3 % | **0.018** | **0.0151** |",
            "Compare the two rows: by DeepFool the collapsed network is 27 times as robust, by DDN 7 % more.",
            "𝓡 above 20 at the end of the ramp, in the lesson's own small network",
            (above("separation_ratio", 20.0, run=1), above("gamma", 90.0, run=1), above("train_accuracy", 0.98, run=1)),
            Question("DeepFool finds nothing smaller than 0.489, DDN finds 0.0162, on the same network. How robust is "
                     "it?",
                     ("0.489", "0.0162, or less", "Somewhere between"), 1,
                     "0.0162 or less: a change of that size was found, and it fools the network. An attack can only "
                     "give an upper bound."),
            within=3_000,
            claims=(Claim("Robustness by DeepFool rises from 0.014 to 0.725 on CIFAR-10.", "paper",
                          "Table of arXiv 2310.08224, an earlier version: LPC 0.725 ± 0.067, NoPen 0.014 ± 0.001"),
                    Claim("Stronger attacks find almost no gain: DeepFool overstates robustness on collapsed "
                          "networks.", "ours",
                          "The table above (an H200, one seed each); on digits, γ = 1: DeepFool 0.172, DDN 0.140 on "
                          "one model and the same inputs. Metrics measures a dozen runs by both", "metrics"))),
        Step(
            "A number is not enough",
            "A network that answers *cat* to everything cannot be fooled at all. So robustness is worth nothing "
            "without the accuracy "
            "beside it: a totally collapsed CIFAR network, at chance, had 0.57 by DeepFool, and ordinary ones 0.018.",
            "The collapsed run's accuracy on the test samples, in the check.",
            "At γ above 90 the collapsed run is right on more than 93 % of the test samples",
            (above("test_accuracy", 0.93, run=1), above("gamma", 90.0, run=1)),
            within=3_000,
            claims=(Claim("Robustness without accuracy beside it means nothing.", "ours",
                          "0.57 by DeepFool on a totally collapsed CIFAR network at chance"),)),
    ))
