"""First: the least a lesson can be."""

from app.lessons import Lesson, Step, above

LESSON = Lesson("Stranger's lesson", 11, "One step.", (
    Step("Look", "A point is a sample.", "Points.", "Training has begun", (above("step", 0),)),))
