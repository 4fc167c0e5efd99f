"""Policy packs, as the engine runs them: started, asked over Pulumi's Analyzer protocol, ended.

A pack is any program that serves the protocol (``PulumiPolicy.yaml`` beside it says how it is started). From below:
``pack`` what lies in a folder, ``host`` and ``processes`` how it is started, ``client`` what it is asked, ``findings``
what comes of that, ``judgement`` all packs over one run, ``packs`` over one command.
"""
