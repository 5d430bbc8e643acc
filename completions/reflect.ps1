# Completions of reflect for PowerShell, generated from the command itself: dot-source it in your profile.

$script:ReflectCommands = @{
    '' = @{
        Default = ''
        Subcommands = @('ask', 'Ask a question: shows the thinking live and marks each correction; only the answer goes to stdout', 'batch', 'Ask every line of a file and write one line of JSON for each, in the same order', 'completions', 'Install or print completions for bash, zsh, fish and PowerShell (default: show)', 'config', 'Show and change the settings (default: show)', 'doctor', 'Check the terminal, settings, sessions, server and models, ask one question, and suggest fixes', 'last', 'Print the last answer again: of this terminal''s last session, or of another one', 'models', 'Manage the models on a server (default: list)', 'sessions', 'Read, search, export and manage saved sessions (default: list)', 'templates', 'Manage prompt templates, used with -t (default: list)', 'help', 'Show the help of a command')
        Options = @('--file', 'A text file to ask about; - reads stdin', '-f', 'A text file to ask about; - reads stdin', '--image', 'An image to ask about; - reads stdin', '--template', 'Put the question into a template (`none` disables)', '-t', 'Put the question into a template (`none` disables)', '--field', 'A value for a field of the template', '--system', 'A system prompt, added to the model''s own', '-s', 'A system prompt, added to the model''s own', '--schema', 'A JSON Schema that the answer must match', '--no-stdin', 'Do not read stdin', '--model', 'The model to ask', '-m', 'The model to ask', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'The engine: a server with the Ollama or the OpenAI API, or the built-in model', '--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--option', 'A model option, such as num_ctx, temperature or seed', '-o', 'A model option, such as num_ctx, temperature or seed', '--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--timeout', 'How long to wait for output, or connect=5,first=300,idle=120', '--deadline', 'End the run after this time with what has come, and exit with 124: 90, 2m, 1h', '--mode', 'How the model reflects: natively or with its own tags, by a prompt, or not at all', '--effort', 'How much the model thinks', '--family', 'How the reply marks its thinking, such as reflection, think, harmony, any or none', '--keep-thinking', 'Send the thinking of earlier turns back to the model; auto: if its family was trained with it', '--final', 'Print the final answer and nothing else', '--code', 'Print only the last block of code of the answer, as --final does', '-x', 'Print only the last block of code of the answer, as --final does', '--show', 'What to show: thinking,reflection,answer', '--no-thinking', 'Hide the thinking; --mode direct turns it off', '--json', 'Print the whole reply as one JSON object', '--jsonl', 'Print each piece as JSON as it arrives, then the object', '--raw', 'Print the reply as the model wrote it, with its tags; not to a terminal', '--stats', 'Print statistics of the reply to stderr', '--quiet', 'Print only errors to stderr', '-q', 'Print only errors to stderr', '--continue', 'Continue the last session', '-c', 'Continue the last session', '--session', 'Continue a session, named by its title or the start of its id', '--no-store', 'Do not save this question; a continued session is still read', '--version', 'Print the version and exit', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('*')
    }
    'ask' = @{
        Default = ''
        Subcommands = @()
        Options = @('--file', 'A text file to ask about; - reads stdin', '-f', 'A text file to ask about; - reads stdin', '--image', 'An image to ask about; - reads stdin', '--template', 'Put the question into a template (`none` disables)', '-t', 'Put the question into a template (`none` disables)', '--field', 'A value for a field of the template', '--system', 'A system prompt, added to the model''s own', '-s', 'A system prompt, added to the model''s own', '--schema', 'A JSON Schema that the answer must match', '--no-stdin', 'Do not read stdin', '--model', 'The model to ask', '-m', 'The model to ask', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'The engine: a server with the Ollama or the OpenAI API, or the built-in model', '--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--option', 'A model option, such as num_ctx, temperature or seed', '-o', 'A model option, such as num_ctx, temperature or seed', '--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--timeout', 'How long to wait for output, or connect=5,first=300,idle=120', '--deadline', 'End the run after this time with what has come, and exit with 124: 90, 2m, 1h', '--mode', 'How the model reflects: natively or with its own tags, by a prompt, or not at all', '--effort', 'How much the model thinks', '--family', 'How the reply marks its thinking, such as reflection, think, harmony, any or none', '--keep-thinking', 'Send the thinking of earlier turns back to the model; auto: if its family was trained with it', '--final', 'Print the final answer and nothing else', '--code', 'Print only the last block of code of the answer, as --final does', '-x', 'Print only the last block of code of the answer, as --final does', '--show', 'What to show: thinking,reflection,answer', '--no-thinking', 'Hide the thinking; --mode direct turns it off', '--json', 'Print the whole reply as one JSON object', '--jsonl', 'Print each piece as JSON as it arrives, then the object', '--raw', 'Print the reply as the model wrote it, with its tags; not to a terminal', '--stats', 'Print statistics of the reply to stderr', '--quiet', 'Print only errors to stderr', '-q', 'Print only errors to stderr', '--continue', 'Continue the last session', '-c', 'Continue the last session', '--session', 'Continue a session, named by its title or the start of its id', '--no-store', 'Do not save this question; a continued session is still read', '--version', 'Print the version and exit', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('*')
    }
    'batch' = @{
        Default = ''
        Subcommands = @()
        Options = @('--output', 'Write to a file: each line as soon as it finishes; the file is sorted at the end', '-o', 'Write to a file: each line as soon as it finishes; the file is sorted at the end', '--resume', 'Continue the output file: ask only the lines that are missing or failed', '--force', 'Overwrite the output file if it exists', '--unordered', 'Write each line as it finishes, not in the order of the questions', '--fields', 'Fields of --json to write besides line, id and error, such as answer,usage,thinking,prompt,host', '--full', 'Write every field of --json and the question', '--format', 'Lines of questions or of JSON objects, one JSON array, or CSV; objects have a prompt or messages, and may have id, model, system, fields of the template and members to pass through', '--jobs', 'How many lines to send to each server at once', '-j', 'How many lines to send to each server at once', '--retry', 'How many times to retry if a server is busy or a reply is cut off', '--patience', 'How long to wait while no server is reachable', '--limit', 'Ask only the first N lines', '--sample', 'Ask N lines drawn at random, the same for each --seed', '--seed', 'The seed of --sample', '--model', 'The model to ask', '-m', 'The model to ask', '--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--template', 'Put the question into a template (`none` disables)', '-t', 'Put the question into a template (`none` disables)', '--field', 'A value for a field of the template', '--host', 'A server, as in OLLAMA_HOST; repeat it to spread the lines across several servers', '--engine', 'The engine: a server with the Ollama or the OpenAI API, or the built-in model', '--mode', 'How the model reflects: natively or with its own tags, by a prompt, or not at all', '--effort', 'How much the model thinks', '--family', 'How the reply marks its thinking, such as reflection, think, harmony, any or none', '--system', 'A system prompt, added to the model''s own', '-s', 'A system prompt, added to the model''s own', '--option', 'A model option, such as num_ctx, temperature or seed', '--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--schema', 'A JSON Schema that the answer must match', '--timeout', 'How long to wait for output, or connect=5,first=300,idle=120', '--quiet', 'Print only errors to stderr', '-q', 'Print only errors to stderr', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('files')
    }
    'completions' = @{
        Default = 'show'
        Subcommands = @('install', 'Install the completions where the shell looks for them', 'show', 'Print the completion script of a shell', 'path', 'Print the path of the completion script; the file may not exist')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'completions install' = @{
        Default = ''
        Subcommands = @()
        Options = @('--shell', 'The shell', '--force', 'Overwrite a file that reflect did not write', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'completions show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('')
    }
    'completions path' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('')
    }
    'config' = @{
        Default = 'show'
        Subcommands = @('show', 'Show every setting, its value, and where it comes from', 'list', 'Show every setting, its value, and where it comes from', 'get', 'Print the value in effect of one setting, alone on a line', 'set', 'Set a value; comments, order and the rest of the file stay unchanged', 'unset', 'Remove a value or a whole profile from the file; the rest stays unchanged', 'edit', 'Open the file in your editor, then report invalid settings', 'path', 'Print the path of the config file; it may not exist', 'schema', 'Print the JSON Schema of the config file, for your editor')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config list' = @{
        Default = ''
        Subcommands = @()
        Options = @('--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config get' = @{
        Default = ''
        Subcommands = @()
        Options = @('--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('keys')
    }
    'config set' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('keys', 'values*')
    }
    'config unset' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('keys')
    }
    'config edit' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config path' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'config schema' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'doctor' = @{
        Default = ''
        Subcommands = @()
        Options = @('--model', 'The model to ask', '-m', 'The model to ask', '--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'The engine: a server with the Ollama or the OpenAI API, or the built-in model', '--timeout', 'How long to wait for output, or connect=5,first=300,idle=120', '--no-question', 'Do not ask the model a question; 0 then means only that no problem prevents an answer', '--json', 'Print the findings as one JSON object', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'last' = @{
        Default = ''
        Subcommands = @()
        Options = @('--code', 'Print only its last block of code', '-x', 'Print only its last block of code', '--thinking', 'Print the thinking instead', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions')
    }
    'models' = @{
        Default = 'list'
        Subcommands = @('list', 'List the models: their size, what they can do, where they run', 'show', 'Show the details of a model and how it would be asked', 'pull', 'Download or update a model', 'create', 'Make a reflecting variant of an installed model; `create mini` installs the built-in one', 'repair', 'Restore the tags that a model loses, in a copy of it', 'copy', 'Give a model a second name; uses no extra disk space', 'remove', 'Remove models from the server for good', 'load', 'Load a model and show where it runs', 'unload', 'Unload a model; it stays installed')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'models list' = @{
        Default = ''
        Subcommands = @()
        Options = @('--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'The engine: a server with the Ollama or the OpenAI API, or the built-in model', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'models show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--template', 'Print only the template', '--system', 'Print only the system prompt', '--parameters', 'Print only the parameters', '--licence', 'Print only the license', '--license', 'Print only the license', '--context', 'The context length to estimate for', '--profile', 'Use a profile from the config file (overrides environment variables; `none` disables)', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--engine', 'The engine: a server with the Ollama or the OpenAI API, or the built-in model', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models pull' = @{
        Default = ''
        Subcommands = @()
        Options = @('--insecure', 'Let the server use plain HTTP to reach the registry', '--context', 'The context length to estimate for', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--jsonl', 'Print the server''s progress as JSON lines, then the object', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models create' = @{
        Default = ''
        Subcommands = @()
        Options = @('--from', 'The installed model to start from; mini needs none', '--system', 'A system prompt, added to the source''s own; the prompt that teaches the tags is added too', '-s', 'A system prompt, added to the source''s own; the prompt that teaches the tags is added too', '--template', 'Use another template', '--parameter', 'Override a parameter of the source, such as temperature or num_ctx', '-p', 'Override a parameter of the source, such as temperature or num_ctx', '--no-proof', 'Do not test the new model with a question', '--force', 'Overwrite an existing model', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('')
    }
    'models repair' = @{
        Default = ''
        Subcommands = @()
        Options = @('--gguf', 'The model''s GGUF on this machine, if the server is on another', '--token', 'A token to restore besides the known tags', '--name', 'The name of the copy', '--force', 'Overwrite an existing model', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models copy' = @{
        Default = ''
        Subcommands = @()
        Options = @('--force', 'Overwrite an existing model', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models', '')
    }
    'models remove' = @{
        Default = ''
        Subcommands = @()
        Options = @('--yes', 'Do not ask for confirmation', '-y', 'Do not ask for confirmation', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models*')
    }
    'models load' = @{
        Default = ''
        Subcommands = @()
        Options = @('--keep-alive', 'How long the model stays loaded: 10m, 0, -1', '--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'models unload' = @{
        Default = ''
        Subcommands = @()
        Options = @('--host', 'The server, as in OLLAMA_HOST or REFLECTTY_HOST', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('models')
    }
    'sessions' = @{
        Default = 'list'
        Subcommands = @('list', 'List the sessions, latest first', 'show', 'Show a session: questions, thinking with its corrections, answers', 'search', 'Search titles, questions, thinking, corrections and answers', 'export', 'Export a session as Markdown, HTML or JSON', 'import', 'Import sessions that were exported as JSON, with all their branches; prints the new ids', 'rename', 'Rename a session', 'remove', 'Remove sessions for good', 'fork', 'Start a new session from a copy of this one; prints its id', 'prune', 'Remove old sessions for good', 'path', 'Print the path of the file with the sessions; it may not exist')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'sessions list' = @{
        Default = ''
        Subcommands = @()
        Options = @('--limit', 'Show at most N', '-n', 'Show at most N', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'sessions show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--no-thinking', 'Show only the summary of the thinking', '--all', 'Show every branch, not only the last viewed one', '-a', 'Show every branch, not only the last viewed one', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions')
    }
    'sessions search' = @{
        Default = ''
        Subcommands = @()
        Options = @('--limit', 'Show at most N', '-n', 'Show at most N', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('*')
    }
    'sessions export' = @{
        Default = ''
        Subcommands = @()
        Options = @('--format', 'The format of the document', '-f', 'The format of the document', '--output', 'Write to a file; - writes to stdout', '-o', 'Write to a file; - writes to stdout', '--force', 'Overwrite an existing file', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions')
    }
    'sessions import' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('files*')
    }
    'sessions rename' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions', '*')
    }
    'sessions remove' = @{
        Default = ''
        Subcommands = @()
        Options = @('--yes', 'Do not ask for confirmation', '-y', 'Do not ask for confirmation', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions*')
    }
    'sessions fork' = @{
        Default = ''
        Subcommands = @()
        Options = @('--at', 'The number of the last question to copy', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('sessions')
    }
    'sessions prune' = @{
        Default = ''
        Subcommands = @()
        Options = @('--older-than', 'Sessions without a turn for this long: 90d, 12h', '--yes', 'Do not ask for confirmation', '-y', 'Do not ask for confirmation', '--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'sessions path' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'templates' = @{
        Default = 'list'
        Subcommands = @('list', 'List the templates with their fields and the start of their text', 'show', 'Print a template: its settings, if it has any, and its text', 'edit', 'Edit a template in your editor; creates it if it does not exist', 'path', 'Print the path of a template or of the templates folder; it may not exist')
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'templates list' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @()
    }
    'templates show' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('templates')
    }
    'templates edit' = @{
        Default = ''
        Subcommands = @()
        Options = @('--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('templates')
    }
    'templates path' = @{
        Default = ''
        Subcommands = @()
        Options = @('--json', 'Print JSON', '--help', 'Show this message and exit', '-h', 'Show this message and exit')
        Places = @('templates')
    }
    'help' = @{
        Default = ''
        Subcommands = @('ask', 'Ask a question: shows the thinking live and marks each correction; only the answer goes to stdout', 'batch', 'Ask every line of a file and write one line of JSON for each, in the same order', 'completions', 'Install or print completions for bash, zsh, fish and PowerShell (default: show)', 'config', 'Show and change the settings (default: show)', 'doctor', 'Check the terminal, settings, sessions, server and models, ask one question, and suggest fixes', 'last', 'Print the last answer again: of this terminal''s last session, or of another one', 'models', 'Manage the models on a server (default: list)', 'sessions', 'Read, search, export and manage saved sessions (default: list)', 'templates', 'Manage prompt templates, used with -t (default: list)')
        Options = @()
        Places = @()
    }
    'help completions' = @{
        Default = ''
        Subcommands = @('install', 'Install the completions where the shell looks for them', 'show', 'Print the completion script of a shell', 'path', 'Print the path of the completion script; the file may not exist')
        Options = @()
        Places = @()
    }
    'help config' = @{
        Default = ''
        Subcommands = @('show', 'Show every setting, its value, and where it comes from', 'list', 'Show every setting, its value, and where it comes from', 'get', 'Print the value in effect of one setting, alone on a line', 'set', 'Set a value; comments, order and the rest of the file stay unchanged', 'unset', 'Remove a value or a whole profile from the file; the rest stays unchanged', 'edit', 'Open the file in your editor, then report invalid settings', 'path', 'Print the path of the config file; it may not exist', 'schema', 'Print the JSON Schema of the config file, for your editor')
        Options = @()
        Places = @()
    }
    'help models' = @{
        Default = ''
        Subcommands = @('list', 'List the models: their size, what they can do, where they run', 'show', 'Show the details of a model and how it would be asked', 'pull', 'Download or update a model', 'create', 'Make a reflecting variant of an installed model; `create mini` installs the built-in one', 'repair', 'Restore the tags that a model loses, in a copy of it', 'copy', 'Give a model a second name; uses no extra disk space', 'remove', 'Remove models from the server for good', 'load', 'Load a model and show where it runs', 'unload', 'Unload a model; it stays installed')
        Options = @()
        Places = @()
    }
    'help sessions' = @{
        Default = ''
        Subcommands = @('list', 'List the sessions, latest first', 'show', 'Show a session: questions, thinking with its corrections, answers', 'search', 'Search titles, questions, thinking, corrections and answers', 'export', 'Export a session as Markdown, HTML or JSON', 'import', 'Import sessions that were exported as JSON, with all their branches; prints the new ids', 'rename', 'Rename a session', 'remove', 'Remove sessions for good', 'fork', 'Start a new session from a copy of this one; prints its id', 'prune', 'Remove old sessions for good', 'path', 'Print the path of the file with the sessions; it may not exist')
        Options = @()
        Places = @()
    }
    'help templates' = @{
        Default = ''
        Subcommands = @('list', 'List the templates with their fields and the start of their text', 'show', 'Print a template: its settings, if it has any, and its text', 'edit', 'Edit a template in your editor; creates it if it does not exist', 'path', 'Print the path of a template or of the templates folder; it may not exist')
        Options = @()
        Places = @()
    }
}
$script:ReflectValues = @{
    ' --file' = @{ Kind = 'files'; Choices = @() }
    ' -f' = @{ Kind = 'files'; Choices = @() }
    ' --image' = @{ Kind = 'files'; Choices = @() }
    ' --template' = @{ Kind = 'templates'; Choices = @() }
    ' -t' = @{ Kind = 'templates'; Choices = @() }
    ' --field' = @{ Kind = ''; Choices = @() }
    ' --system' = @{ Kind = ''; Choices = @() }
    ' -s' = @{ Kind = ''; Choices = @() }
    ' --schema' = @{ Kind = 'files'; Choices = @() }
    ' --model' = @{ Kind = 'models'; Choices = @() }
    ' -m' = @{ Kind = 'models'; Choices = @() }
    ' --host' = @{ Kind = 'hosts'; Choices = @() }
    ' --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    ' --profile' = @{ Kind = 'profiles'; Choices = @() }
    ' --option' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    ' -o' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    ' --keep-alive' = @{ Kind = ''; Choices = @() }
    ' --timeout' = @{ Kind = ''; Choices = @() }
    ' --deadline' = @{ Kind = ''; Choices = @() }
    ' --mode' = @{ Kind = ''; Choices = @('auto', 'native', 'reflect', 'direct') }
    ' --effort' = @{ Kind = ''; Choices = @('low', 'medium', 'high', 'max') }
    ' --family' = @{ Kind = ''; Choices = @('reflection', 'think', 'native', 'think_answer', 'reasoning_answer', 'exaone_deep', 'marco', 'seed_oss', 'magistral', 'openthinker', 'kimi_vl', 'kimi_k3', 'minimax_m3', 'apertus', 'gemma4', 'cohere', 'granite32', 'granite33', 'ernie45', 'solar_open', 'solar_open2', 'harmony', 'glimmer', 'inkling', 'k2_horizon', 'hy', 'plamo3', 'apriel', 'longcat', 'budget', 'any', 'none') }
    ' --keep-thinking' = @{ Kind = ''; Choices = @('auto', 'on', 'off') }
    ' --show' = @{ Kind = ''; Choices = @('thinking', 'reflection', 'answer') }
    ' --session' = @{ Kind = 'sessions'; Choices = @() }
    'ask --file' = @{ Kind = 'files'; Choices = @() }
    'ask -f' = @{ Kind = 'files'; Choices = @() }
    'ask --image' = @{ Kind = 'files'; Choices = @() }
    'ask --template' = @{ Kind = 'templates'; Choices = @() }
    'ask -t' = @{ Kind = 'templates'; Choices = @() }
    'ask --field' = @{ Kind = ''; Choices = @() }
    'ask --system' = @{ Kind = ''; Choices = @() }
    'ask -s' = @{ Kind = ''; Choices = @() }
    'ask --schema' = @{ Kind = 'files'; Choices = @() }
    'ask --model' = @{ Kind = 'models'; Choices = @() }
    'ask -m' = @{ Kind = 'models'; Choices = @() }
    'ask --host' = @{ Kind = 'hosts'; Choices = @() }
    'ask --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'ask --profile' = @{ Kind = 'profiles'; Choices = @() }
    'ask --option' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'ask -o' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'ask --keep-alive' = @{ Kind = ''; Choices = @() }
    'ask --timeout' = @{ Kind = ''; Choices = @() }
    'ask --deadline' = @{ Kind = ''; Choices = @() }
    'ask --mode' = @{ Kind = ''; Choices = @('auto', 'native', 'reflect', 'direct') }
    'ask --effort' = @{ Kind = ''; Choices = @('low', 'medium', 'high', 'max') }
    'ask --family' = @{ Kind = ''; Choices = @('reflection', 'think', 'native', 'think_answer', 'reasoning_answer', 'exaone_deep', 'marco', 'seed_oss', 'magistral', 'openthinker', 'kimi_vl', 'kimi_k3', 'minimax_m3', 'apertus', 'gemma4', 'cohere', 'granite32', 'granite33', 'ernie45', 'solar_open', 'solar_open2', 'harmony', 'glimmer', 'inkling', 'k2_horizon', 'hy', 'plamo3', 'apriel', 'longcat', 'budget', 'any', 'none') }
    'ask --keep-thinking' = @{ Kind = ''; Choices = @('auto', 'on', 'off') }
    'ask --show' = @{ Kind = ''; Choices = @('thinking', 'reflection', 'answer') }
    'ask --session' = @{ Kind = 'sessions'; Choices = @() }
    'batch --output' = @{ Kind = 'files'; Choices = @() }
    'batch -o' = @{ Kind = 'files'; Choices = @() }
    'batch --fields' = @{ Kind = ''; Choices = @() }
    'batch --format' = @{ Kind = ''; Choices = @('lines', 'jsonl', 'json', 'csv') }
    'batch --jobs' = @{ Kind = ''; Choices = @() }
    'batch -j' = @{ Kind = ''; Choices = @() }
    'batch --retry' = @{ Kind = ''; Choices = @() }
    'batch --patience' = @{ Kind = ''; Choices = @() }
    'batch --limit' = @{ Kind = ''; Choices = @() }
    'batch --sample' = @{ Kind = ''; Choices = @() }
    'batch --seed' = @{ Kind = ''; Choices = @() }
    'batch --model' = @{ Kind = 'models'; Choices = @() }
    'batch -m' = @{ Kind = 'models'; Choices = @() }
    'batch --profile' = @{ Kind = 'profiles'; Choices = @() }
    'batch --template' = @{ Kind = 'templates'; Choices = @() }
    'batch -t' = @{ Kind = 'templates'; Choices = @() }
    'batch --field' = @{ Kind = ''; Choices = @() }
    'batch --host' = @{ Kind = 'hosts'; Choices = @() }
    'batch --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'batch --mode' = @{ Kind = ''; Choices = @('auto', 'native', 'reflect', 'direct') }
    'batch --effort' = @{ Kind = ''; Choices = @('low', 'medium', 'high', 'max') }
    'batch --family' = @{ Kind = ''; Choices = @('reflection', 'think', 'native', 'think_answer', 'reasoning_answer', 'exaone_deep', 'marco', 'seed_oss', 'magistral', 'openthinker', 'kimi_vl', 'kimi_k3', 'minimax_m3', 'apertus', 'gemma4', 'cohere', 'granite32', 'granite33', 'ernie45', 'solar_open', 'solar_open2', 'harmony', 'glimmer', 'inkling', 'k2_horizon', 'hy', 'plamo3', 'apriel', 'longcat', 'budget', 'any', 'none') }
    'batch --system' = @{ Kind = ''; Choices = @() }
    'batch -s' = @{ Kind = ''; Choices = @() }
    'batch --option' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'batch --keep-alive' = @{ Kind = ''; Choices = @() }
    'batch --schema' = @{ Kind = 'files'; Choices = @() }
    'batch --timeout' = @{ Kind = ''; Choices = @() }
    'completions install --shell' = @{ Kind = ''; Choices = @('bash', 'zsh', 'fish', 'powershell') }
    'completions show 0' = @{ Kind = ''; Choices = @('bash', 'zsh', 'fish', 'powershell') }
    'completions path 0' = @{ Kind = ''; Choices = @('bash', 'zsh', 'fish', 'powershell') }
    'config show --profile' = @{ Kind = 'profiles'; Choices = @() }
    'config list --profile' = @{ Kind = 'profiles'; Choices = @() }
    'config get --profile' = @{ Kind = 'profiles'; Choices = @() }
    'doctor --model' = @{ Kind = 'models'; Choices = @() }
    'doctor -m' = @{ Kind = 'models'; Choices = @() }
    'doctor --profile' = @{ Kind = 'profiles'; Choices = @() }
    'doctor --host' = @{ Kind = 'hosts'; Choices = @() }
    'doctor --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'doctor --timeout' = @{ Kind = ''; Choices = @() }
    'models list --profile' = @{ Kind = 'profiles'; Choices = @() }
    'models list --host' = @{ Kind = 'hosts'; Choices = @() }
    'models list --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'models show --context' = @{ Kind = ''; Choices = @() }
    'models show --profile' = @{ Kind = 'profiles'; Choices = @() }
    'models show --host' = @{ Kind = 'hosts'; Choices = @() }
    'models show --engine' = @{ Kind = ''; Choices = @('ollama', 'openai', 'embedded') }
    'models pull --context' = @{ Kind = ''; Choices = @() }
    'models pull --host' = @{ Kind = 'hosts'; Choices = @() }
    'models pull 0' = @{ Kind = 'models'; Choices = @('reflection:70b', 'qwen3:32b', 'gpt-oss:20b', 'qwen3:14b', 'qwen3:8b', 'qwen3:4b', 'qwen3:1.7b', 'qwen3:0.6b') }
    'models create --from' = @{ Kind = 'models'; Choices = @() }
    'models create --system' = @{ Kind = 'texts'; Choices = @() }
    'models create -s' = @{ Kind = 'texts'; Choices = @() }
    'models create --template' = @{ Kind = 'texts'; Choices = @() }
    'models create --parameter' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'models create -p' = @{ Kind = ''; Choices = @('num_ctx=', 'num_predict=', 'num_keep=', 'seed=', 'temperature=', 'top_k=', 'top_p=', 'min_p=', 'typical_p=', 'repeat_last_n=', 'repeat_penalty=', 'presence_penalty=', 'frequency_penalty=', 'stop=', 'num_batch=', 'num_gpu=', 'main_gpu=', 'use_mmap=', 'num_thread=', 'draft_num_predict=') }
    'models create --host' = @{ Kind = 'hosts'; Choices = @() }
    'models repair --gguf' = @{ Kind = 'files'; Choices = @() }
    'models repair --token' = @{ Kind = ''; Choices = @() }
    'models repair --name' = @{ Kind = ''; Choices = @() }
    'models repair --host' = @{ Kind = 'hosts'; Choices = @() }
    'models copy --host' = @{ Kind = 'hosts'; Choices = @() }
    'models remove --host' = @{ Kind = 'hosts'; Choices = @() }
    'models load --keep-alive' = @{ Kind = ''; Choices = @() }
    'models load --host' = @{ Kind = 'hosts'; Choices = @() }
    'models unload --host' = @{ Kind = 'hosts'; Choices = @() }
    'sessions list --limit' = @{ Kind = ''; Choices = @() }
    'sessions list -n' = @{ Kind = ''; Choices = @() }
    'sessions search --limit' = @{ Kind = ''; Choices = @() }
    'sessions search -n' = @{ Kind = ''; Choices = @() }
    'sessions export --format' = @{ Kind = ''; Choices = @('markdown', 'json', 'html') }
    'sessions export -f' = @{ Kind = ''; Choices = @('markdown', 'json', 'html') }
    'sessions export --output' = @{ Kind = 'files'; Choices = @() }
    'sessions export -o' = @{ Kind = 'files'; Choices = @() }
    'sessions fork --at' = @{ Kind = ''; Choices = @() }
    'sessions prune --older-than' = @{ Kind = ''; Choices = @() }
}

Register-ArgumentCompleter -Native -CommandName reflect -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    # As it may stand on the line, so that PowerShell reads it as that value and nothing else.
    function Protect-Value([string] $value) {
        if ($value -match '^[\w./:=+-]+$') { return $value }
        $marks = "['" + [char]0x2018 + [char]0x2019 + [char]0x201a + [char]0x201b + ']'
        return "'" + ($value -replace $marks, '$0$0') + "'"
    }
    function New-Offer([string] $value, [string] $about, [string] $before) {
        if (-not $value.StartsWith($word, [StringComparison]::Ordinal)) { return }
        $shown = if ($about) { $about } else { $value }
        [System.Management.Automation.CompletionResult]::new(
            $before + (Protect-Value $value), $value, 'ParameterValue', $shown)
    }
    function Get-Filling($kind, $choices, $before) {
        foreach ($one in $choices) { New-Offer $one '' $before }
        if ($kind -and $kind -ne 'files' -and $kind -ne 'texts') {
            foreach ($line in (& reflect __complete $kind $word @words 2>$null)) {
                $value, $about = $line -split "`t", 2
                New-Offer $value $about $before
            }
        }
    }

    $words = @($commandAst.CommandElements | Select-Object -Skip 1 |
        Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
        ForEach-Object { if ($_ -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $_.Value } else { $_.Extent.Text } })
    $word = $wordToComplete.Trim("'", '"')
    $path = ''; $place = 0; $flag = ''; $ended = $false
    foreach ($one in $words) {
        $about = $script:ReflectCommands[$path]
        if ($flag) { $flag = ''; continue }
        if ($one -like '-?*' -and -not $ended) {
            if ($one -eq '--') { $ended = $true; continue }
            if ($about.Default) { $path = "$path $($about.Default)" }
            if ($script:ReflectValues.ContainsKey("$path $one")) { $flag = $one }
            continue
        }
        $names = for ($i = 0; $i -lt $about.Subcommands.Count; $i += 2) { $about.Subcommands[$i] }
        if ($place -eq 0 -and -not $ended -and $names -ccontains $one) { $path = "$path $one".Trim(); continue }
        $place += 1
    }
    $about = $script:ReflectCommands[$path]
    $before = ''
    if (-not $flag -and -not $ended -and $word -like '--*=*') {
        if ($about.Default) { $path = "$path $($about.Default)" }
        $flag, $word = $word -split '=', 2
        $before = "$flag="
    }
    if ($flag) {
        $value = $script:ReflectValues["$path $flag"]
        if ($value) { Get-Filling $value.Kind $value.Choices $before }
        return
    }
    if ($word -like '-*' -and -not $ended) {
        if ($about.Default) { $about = $script:ReflectCommands["$path $($about.Default)"] }
        for ($i = 0; $i -lt $about.Options.Count; $i += 2) { New-Offer $about.Options[$i] $about.Options[$i + 1] '' }
        return
    }
    if ($place -eq 0 -and -not $ended) {
        for ($i = 0; $i -lt $about.Subcommands.Count; $i += 2) {
            New-Offer $about.Subcommands[$i] $about.Subcommands[$i + 1] ''
        }
    }
    $last = $about.Places.Count - 1
    if ($last -lt 0) { return }
    if ($place -gt $last) {
        if (-not $about.Places[$last].EndsWith('*')) { return }
        $place = $last
    }
    $value = $script:ReflectValues["$path $place"]
    if ($value) { Get-Filling $value.Kind $value.Choices '' } else { Get-Filling $about.Places[$place].TrimEnd('*') @() '' }
}
